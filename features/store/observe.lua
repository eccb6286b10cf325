-- Read the state of every entity that the rows touch, as it is, and add each row to it, in order.
-- One call is one micro-batch: atomic, and once for each transaction id.
--
-- KEYS  1 .. n_states: state keys, each once; then one marker key for each row
-- ARGV  1: msgpack {n_states, state_ttl_s, marker_ttl_s, layouts}
--          layout: {rings: {{offset, tile_ms, slots}, ...}, tables: {{offset, capacity}, ...}}
--       2: msgpack rows: {at_ms, hundredths, squares, touched}
--          touched: {{layout, state key, partner hash, ...}, ...}, indices from 1, hash 0 is none
--
-- Returns {0, {indices of state keys that do not exist}} and changes nothing if there is one; else
-- {1, {reply, ...}} with a reply for each row: {recorded or false, state, ...}, the states in the
-- order of `touched`; recorded is false for a row that is new, '' for one seen before.
--
-- The layout of the bytes is told in features/entities.py, the arithmetic in features/tiles.py.

local unpack_bytes, pack_bytes = struct.unpack, struct.pack
local sub, find, floor, min = string.sub, string.find, math.floor, math.min
local SATURATION = 9007199254740992
local TILE, TILE_BYTES = '<I4I4i8i8', 24
local PARTNER, PARTNER_BYTES = '<I4I4', 8

local head, rows = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[2])
local n_states, state_ttl_s, marker_ttl_s, layouts = head[1], head[2], head[3], head[4]

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

local function observe(state, layout, row, touched)
  local at_ms, hundredths, squares = row[1], row[2], row[3]
  local pieces, n, at = {}, 1, 9
  local last_ms = unpack_bytes('<i8', state, 1)
  pieces[1] = at_ms > last_ms and pack_bytes('<i8', at_ms) or sub(state, 1, 8)
  for _, ring in ipairs(layout[1]) do
    local tile = floor(at_ms / ring[2])
    local offset = ring[1] + tile % ring[3] * TILE_BYTES
    local epoch, count, total, total_squares = unpack_bytes(TILE, state, offset)
    if epoch < tile then count, total, total_squares = 0, 0, 0 end
    if epoch <= tile then
      pieces[n + 1] = sub(state, at, offset - 1)
      pieces[n + 2] = pack_bytes(TILE, tile, count + 1,
        min(total + hundredths, SATURATION), min(total_squares + squares, SATURATION))
      n, at = n + 2, offset + TILE_BYTES
    end
  end
  for i, spec in ipairs(layout[2]) do
    local offset, stop = spec[1], spec[1] + spec[2] * PARTNER_BYTES
    local hash = touched[i + 2]
    if hash ~= 0 then
      pieces[n + 1] = sub(state, at, offset - 1)
      pieces[n + 2] = touch(sub(state, offset, stop - 1), spec[2], hash, floor(at_ms / 1000))
      n, at = n + 2, stop
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
  for i, touched in ipairs(row[4]) do
    local k = touched[2]
    reply[i + 1] = states[k]
    if is_new then
      states[k] = observe(states[k], layouts[touched[1]], row, touched)
      dirty[k] = true
    end
  end
  replies[r] = reply
end
for k in pairs(dirty) do
  redis.call('SET', KEYS[k], states[k], 'EX', state_ttl_s)
end
return {1, replies}
