-- Read the state of every entity that the rows touch, as it is, and add each row to it, in order.
-- One call is one micro-batch: atomic, and once for each transaction id.
--
-- KEYS  1 .. n_states: state keys, each once; then one marker key for each row
-- ARGV  1: msgpack {n_states, state_ttl_s, marker_ttl_s, n_values}
--       2: msgpack rows: {value 1, ..., value n_values, touched}; value 1 is the time in ms, those
--          at LOCATED, LAT and LON are whether there are coordinates, and these
--          touched: {{layout, state key, partner hash, ...}, ...}, indices from 1, hash 0 is none
--
-- LAYOUTS, above, has a layout for each role:
--   {stamps: {offset, ...}, position: offset or 0, rings: {ring, ...},
--    tables: {{offset, capacity}, ...}}, offsets from 1 and rising;
--   ring: {offset, tile_ms, slots, tile_bytes, when, format, how, value, limit, ...}; when: the value
--   of the row that must not be 0; (how, value, limit) of each field, one or three
--
-- Returns {0, {indices of state keys that do not exist}} and changes nothing if there is one; else
-- {1, {reply, ...}} with a reply for each row: {recorded or false, state, ...}, the states in the
-- order of `touched`; recorded is false for a row that is new, '' for one seen before.
--
-- The layout of the bytes is told in features/entities.py, the arithmetic in features/state.py.

local unpack_bytes, pack_bytes = struct.unpack, struct.pack
local sub, find, rep = string.sub, string.find, string.rep
local floor, min, max = math.floor, math.min, math.max
local PARTNER, PARTNER_BYTES = '<I4I4', 8
local LOCATED, LAT, LON = 6, 7, 8

local head, rows = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2])
local n_states, state_ttl_s, marker_ttl_s, n_values = head[1], head[2], head[3], head[4]

local function touch(entries, capacity, hash, at_s)
  local needle = pack_bytes('<I4', hash)
  local found = find(entries, needle, 1, true)
  while found and (found - 1) % PARTNER_BYTES ~= 0 do
    found = find(entries, needle, found + 1, true)
  end
  if found then
    local _, seen_s = unpack_bytes(PARTNER, entries, found)
    if seen_s >= at_s then return entries end
    entries = sub(entries, 1, found - 1) .. sub(entries, found + PARTNER_BYTES)
  end
  local at, last = 0, #entries / PARTNER_BYTES
  while at < last do
    local other, seen_s = unpack_bytes(PARTNER, entries, at * PARTNER_BYTES + 1)
    if at_s > seen_s or (at_s == seen_s and hash > other) then break end
    at = at + 1
  end
  local cut = at * PARTNER_BYTES
  entries = sub(entries, 1, cut) .. pack_bytes(PARTNER, hash, at_s) .. sub(entries, cut + 1)
  return sub(entries, 1, capacity * PARTNER_BYTES)
end

-- Where bytes of a tile change, and what they become; nil if the tile does not.
local function tally(state, offset, tile, tile_bytes, counter, limit)
  local epoch = unpack_bytes('<I4', state, offset)
  if epoch > tile then return nil end
  local place = 4 + 2 * (counter - 1)
  if epoch < tile then
    return offset, pack_bytes('<I4', tile) .. rep('\0', place - 4) .. pack_bytes('<I2', 1)
      .. rep('\0', tile_bytes - place - 2)
  end
  local count = unpack_bytes('<I2', state, offset + place)
  return offset + place, pack_bytes('<I2', min(count + 1, limit))
end

local function grow(how, now, value, limit)
  if how == 'add' then return min(now + value, limit) end
  return max(now, min(value, limit))
end

local function add(state, ring, row)
  local tile = floor(row[1] / ring[2])
  local tile_bytes, form = ring[4], ring[6]
  local offset = ring[1] + tile % ring[3] * tile_bytes
  if ring[7] == 'tally' then
    return tally(state, offset, tile, tile_bytes, row[ring[8]], ring[9])
  end
  local epoch, a, b, c = unpack_bytes(form, state, offset)
  if epoch > tile then return nil end
  local fresh = epoch < tile
  a = grow(ring[7], fresh and 0 or a, row[ring[8]], ring[9])
  if not ring[10] then return offset, pack_bytes(form, tile, a) end
  b = grow(ring[10], fresh and 0 or b, row[ring[11]], ring[12])
  c = grow(ring[13], fresh and 0 or c, row[ring[14]], ring[15])
  return offset, pack_bytes(form, tile, a, b, c)
end

local function later(row, state, offset)
  local at_ms, lat, lon = unpack_bytes('<i8I4I4', state, offset)
  if row[1] ~= at_ms then return row[1] > at_ms end
  if row[LAT] ~= lat then return row[LAT] > lat end
  return row[LON] > lon
end

local function observe(state, layout, row, touched)
  local pieces, n, at = {}, 0, 1
  local function put(offset, bytes)
    if offset > at then
      n = n + 1
      pieces[n] = sub(state, at, offset - 1)
    end
    n = n + 1
    pieces[n] = bytes
    at = offset + #bytes
  end
  for _, offset in ipairs(layout[1]) do
    if row[1] > unpack_bytes('<i8', state, offset) then
      put(offset, pack_bytes('<i8', row[1]))
    end
  end
  if layout[2] > 0 and row[LOCATED] ~= 0 and later(row, state, layout[2]) then
    put(layout[2], pack_bytes('<i8I4I4', row[1], row[LAT], row[LON]))
  end
  for _, ring in ipairs(layout[3]) do
    if row[ring[5]] ~= 0 then
      local offset, bytes = add(state, ring, row)
      if offset then put(offset, bytes) end
    end
  end
  for i, spec in ipairs(layout[4]) do
    local hash = touched[i + 2]
    if hash ~= 0 then
      local entries = sub(state, spec[1], spec[1] + spec[2] * PARTNER_BYTES - 1)
      put(spec[1], touch(entries, spec[2], hash, floor(row[1] / 1000)))
    end
  end
  pieces[n + 1] = sub(state, at)
  return table.concat(pieces)
end

local states, missing = {}, {}
for from = 1, n_states, 1000 do
  local till = min(from + 999, n_states)
  local got = redis.call('MGET', unpack(KEYS, from, till))
  for i = from, till do
    local state = got[i - from + 1]
    states[i] = state
    if not state then missing[#missing + 1] = i end
  end
end
if #missing > 0 then return {0, missing} end

local replies, dirty = {}, {}
for r, row in ipairs(rows) do
  local marker = KEYS[n_states + r]
  local is_new = redis.call('SET', marker, '', 'NX', 'EX', marker_ttl_s)
  local reply = {not is_new and redis.call('GET', marker)}
  for i, touched in ipairs(row[n_values + 1]) do
    local k = touched[2]
    reply[i + 1] = states[k]
    if is_new then
      states[k] = observe(states[k], LAYOUTS[touched[1]], row, touched)
      dirty[k] = true
    end
  end
  replies[r] = reply
end
for k in pairs(dirty) do
  redis.call('SET', KEYS[k], states[k], 'EX', state_ttl_s)
end
return {1, replies}
