-- Shared by learn.lua and install.lua: one label event into the rings of one state.
-- The arithmetic is told in features/state.py.

local unpack_bytes, pack_bytes = struct.unpack, struct.pack
local floor, min, max = math.floor, math.min, math.max
local TILE, TILE_BYTES = '<I4I4I4i8', 20
local SATURATION, MOST = 9007199254740992, 4294967295

local function get(key, offset)
  return unpack_bytes(TILE, redis.call('GETRANGE', key, offset, offset + TILE_BYTES - 1))
end

local function put(key, offset, ...)
  redis.call('SETRANGE', key, offset, pack_bytes(TILE, ...))
end

local function learn_ring(key, ring, event)
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

local function learn(key, rings, event)
  for _, ring in ipairs(rings) do learn_ring(key, ring, event) end
end
