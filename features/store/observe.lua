-- Read the state of every entity that the rows touch, as it is, and add each row to it, in order.
-- One call is one micro-batch: atomic, and once for each transaction id.
--
-- KEYS  1 .. n_states: state keys, each once; then one marker key for each row
-- ARGV  1: n_states; 2: how long a state is kept, seconds; 3: how long a marker is kept, seconds
--       4: msgpack rows: {value 1, ..., value 9, touched}; value 1 is the time in ms, the others as
--          in rings.SOURCES
--          touched: {{role, state key, partner hash, ...}, ...}, indices from 1, hash 0 is none
--
-- STEPS, above, has a function for each role: (state, row, touched) -> the state with the row in it.
--
-- Returns {0, {indices of state keys that do not exist}} and changes nothing if there is one; else
-- {1, {reply, ...}} with a reply for each row: {recorded or false, state, ...}, the states in the
-- order of `touched`; recorded is false for a row that is new, '' for one seen before.

local TOUCHED = 10
local n_states, state_ttl_s, marker_ttl_s = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local call = redis.call

local states, missing = {}, {}
for from = 1, n_states, 1000 do
  local till = min(from + 999, n_states)
  local got = call('MGET', unpack(KEYS, from, till))
  for i = from, till do
    local state = got[i - from + 1]
    states[i] = state
    if not state then missing[#missing + 1] = i end
  end
end
if #missing > 0 then return {0, missing} end

local replies, dirty = {}, {}
for r, row in ipairs(cmsgpack.unpack(ARGV[4])) do
  local marker = KEYS[n_states + r]
  local is_new = call('SET', marker, '', 'NX', 'EX', marker_ttl_s)
  local reply = {not is_new and call('GET', marker)}
  for i, touched in ipairs(row[TOUCHED]) do
    local k = touched[2]
    reply[i + 1] = states[k]
    if is_new then
      states[k] = STEPS[touched[1]](states[k], row, touched)
      dirty[k] = true
    end
  end
  replies[r] = reply
end
for k in pairs(dirty) do
  call('SET', KEYS[k], states[k], 'EX', state_ttl_s)
end
return {1, replies}
