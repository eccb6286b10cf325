-- Put label events into the states of what they are about, and move the cursor past them: atomic.
-- States that do not exist are left alone: whoever rebuilds one counts its labels.
--
-- KEYS  1: the cursor; 2 .. : state keys, each once
-- ARGV  1: where the cursor must stand, '' for anywhere; 2: where it is put, '' to leave it
--       3: msgpack layouts: for each entity its rings of labels {{offset, tile_ms, slots}, ...},
--          offsets from 0
--       4: msgpack events: {known_at_ms, fraud, hundredths, previous_ms, previous_fraud, touched},
--          fraud 0 or 1, previous_ms 0 for none;
--          touched: {{layout, state key}, ...}, indices from 1
--
-- Returns 0 and changes nothing if the cursor stands elsewhere, else 1.
--
-- The arithmetic is told in features/state.py.

local unpack_bytes, pack_bytes = struct.unpack, struct.pack
local floor, min, max = math.floor, math.min, math.max
local TILE, TILE_BYTES = '<I4I4I4i8', 20
local SATURATION, MOST = 9007199254740992, 4294967295

if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end

local layouts, events = cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])

local function get(key, offset)
  return unpack_bytes(TILE, redis.call('GETRANGE', key, offset, offset + TILE_BYTES - 1))
end

local function put(key, offset, ...)
  redis.call('SETRANGE', key, offset, pack_bytes(TILE, ...))
end

local function learn(key, ring, event)
  local known_at_ms, fraud, hundredths = event[1], event[2], event[3]
  local previous_ms, previous_fraud = event[4], event[5]
  if previous_ms ~= 0 then
    local tile = floor(previous_ms / ring[2])
    local offset = ring[1] + tile % ring[3] * TILE_BYTES
    local epoch, known, frauds, total = get(key, offset)
    if epoch == tile then
      put(key, offset, epoch, max(known - 1, 0), max(frauds - previous_fraud, 0),
        max(total - previous_fraud * hundredths, 0))
    end
  end
  local tile = floor(known_at_ms / ring[2])
  local offset = ring[1] + tile % ring[3] * TILE_BYTES
  local epoch, known, frauds, total = get(key, offset)
  if epoch > tile then return end
  if epoch < tile then known, frauds, total = 0, 0, 0 end
  put(key, offset, tile, min(known + 1, MOST), min(frauds + fraud, MOST),
    min(total + fraud * hundredths, SATURATION))
end

local exists = {}
for _, event in ipairs(events) do
  for _, touched in ipairs(event[6]) do
    local k = touched[2]
    if exists[k] == nil then exists[k] = redis.call('EXISTS', KEYS[k]) == 1 end
    if exists[k] then
      for _, ring in ipairs(layouts[touched[1]]) do learn(KEYS[k], ring, event) end
    end
  end
end
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2]) end
return 1
