-- Read the state of every entity that the rows touch, as it is, and add each row to it, in order.
-- One call is one micro-batch: atomic, and once for each transaction id.
--
-- KEYS  1 .. n_states: state keys, each once; then one marker key for each row; then one key for
--       each state that may be missing: rows are put aside there
-- ARGV  1: n_states; 2: how long a state is kept, seconds; 3: how long a marker is kept, seconds
--       4: msgpack rows: {value 1, ..., value 9, touched}; value 1 is the time in ms, the others as
--          in rings.SOURCES
--          touched: {{role, state key, partner hash, ...}, ...}, indices from 1, hash 0 is none
--       5: msgpack {state key, ...}: indices of those that may be missing, or ''
--       6: msgpack {{tenant, transaction id}, ...} of the rows, or '' if none may be missing
--
-- STEPS, above, has a function for each role: (key, state, row, touched) puts the row into the
-- state at the key, which is `state` now. What changes is written, not the whole: less is
-- copied, and less goes into Redis' own log of writes.
--
-- Returns {0, {index of a state key that does not exist, ...}, {index of a row seen before, ...}}
-- and changes nothing if there is a state that may not be missing and is; else {1, {reply, ...}}
-- with a reply for each row: {recorded or false, state or false, ...}, the states in the order of
-- `touched`; recorded is false for a row that is new, '' for one seen before. A row that is new is
-- put aside for the states that are missing: who rebuilds one puts the row into it (install.lua).

local TOUCHED, DAY_MS = 10, 86400000
local CHANGED = true  -- in the place of a state that must be read again
local n_states, state_ttl_s, marker_ttl_s = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local rows = cmsgpack.unpack(ARGV[4])

local aside, ids = {}, nil
if ARGV[5] ~= '' then
  ids = cmsgpack.unpack(ARGV[6])
  for i, k in ipairs(cmsgpack.unpack(ARGV[5])) do aside[k] = KEYS[n_states + #rows + i] end
end

local states, missing = {}, {}
for from = 1, n_states, 1000 do
  local till = min(from + 999, n_states)
  local got = call('MGET', unpack(KEYS, from, till))
  for i = from, till do
    local state = got[i - from + 1]
    states[i] = state
    if not state and not aside[i] then missing[#missing + 1] = i end
  end
end
if #missing > 0 then
  local seen = {}
  for r = 1, #rows do
    if call('EXISTS', KEYS[n_states + r]) == 1 then seen[#seen + 1] = r end
  end
  return {0, missing, seen}
end

local function put_aside(key, id, row, touched)
  call('RPUSH', key, cmsgpack.pack({id, {unpack(row, 1, TOUCHED - 1)}, touched}))
  call('EXPIRE', key, state_ttl_s)
end

-- A state is let go some time after it was touched last: by the day is near enough.
local function put(k, state, row, touched)
  STEPS[touched[1]](KEYS[k], state, row, touched)
  states[k] = CHANGED
  if floor(row[1] / DAY_MS) > floor(struct.unpack('<i8', state) / DAY_MS) then
    call('EXPIRE', KEYS[k], state_ttl_s)
  end
end

local replies = {}
for r, row in ipairs(rows) do
  local marker = KEYS[n_states + r]
  local is_new = call('SET', marker, '', 'NX', 'EX', marker_ttl_s)
  local reply = {not is_new and call('GET', marker)}
  for i, touched in ipairs(row[TOUCHED]) do
    local k = touched[2]
    local state = states[k]
    if state == CHANGED then
      state = call('GET', KEYS[k])
      states[k] = state
    end
    reply[i + 1] = state
    if is_new and state then
      put(k, state, row, touched)
    elseif is_new then
      put_aside(aside[k], ids[r], row, touched)
    end
  end
  replies[r] = reply
end
return {1, replies}
