-- What the generated steps of observe.lua are made of (steps.py): where bytes of a state change,
-- and what they become. The arithmetic is told in features/state.py.

local call = redis.call
local unpack_bytes, pack_bytes = struct.unpack, struct.pack
local sub, find, rep = string.sub, string.find, string.rep
local floor, min = math.floor, math.min
local PARTNER, PARTNER_BYTES = '<I4I4', 8
local LOCATED, LAT, LON = 6, 7, 8

-- Whether the row's position is newer than the one at `offset`.
local function later(row, state, offset)
  local at_ms, lat, lon = unpack_bytes('<i8I4I4', state, offset)
  if row[1] ~= at_ms then return row[1] > at_ms end
  if row[LAT] ~= lat then return row[LAT] > lat end
  return row[LON] > lon
end

-- One more in a counter of a tile: first byte that changes, and the bytes; nil if none does.
local function tally(state, offset, tile, tile_bytes, counter, limit)
  local epoch = unpack_bytes('<I4', state, offset)
  if epoch > tile then return nil end
  local place = 4 + 2 * (counter - 1)
  if epoch < tile then
    return offset, pack_bytes('<I4', tile) .. rep('\0', place - 4) .. '\1\0'
      .. rep('\0', tile_bytes - place - 2)
  end
  local count = unpack_bytes('<I2', state, offset + place)
  return offset + place, pack_bytes('<I2', min(count + 1, limit))
end

-- Put a partner into the table between the bytes `first` and `last`: first byte that changes, and
-- the bytes; nil if none does.
local function touch(state, first, last, hash, at_s)
  local found = find(state, pack_bytes('<I4', hash), first, true)
  while found and (found - first) % PARTNER_BYTES ~= 0 do
    found = find(state, pack_bytes('<I4', hash), found + 1, true)
  end
  local stop = last - PARTNER_BYTES  -- of what moves up by a place
  if found and found < last then
    local _, seen_s = unpack_bytes(PARTNER, state, found)
    if seen_s >= at_s then return nil end
    stop = found - 1
  end
  local at = first
  while at <= stop + 1 do
    local other, seen_s = unpack_bytes(PARTNER, state, at)
    if at_s > seen_s or (at_s == seen_s and hash > other) then
      return at, pack_bytes(PARTNER, hash, at_s) .. sub(state, at, stop)
    end
    at = at + PARTNER_BYTES
  end
  return nil  -- older than every partner of a full table
end
