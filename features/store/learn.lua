-- Put label events into the states of what they are about, and move the cursor past them: atomic.
-- States that do not exist are left alone: whoever rebuilds one counts its labels. What is learnt
-- is kept in a log for a short while, for states that are being rebuilt now (install.lua).
--
-- KEYS  1: the cursor; 2: the log; 3 .. : state keys, each once
-- ARGV  1: where the cursor must stand, '' for anywhere; 2: where it is put, '' to leave it
--       3: how many batches the log keeps; 4: for how long, seconds
--       5: msgpack events: {known_at_ms, fraud, hundredths, previous_ms, previous_fraud, touched},
--          fraud 0 or 1, previous_ms 0 for none;
--          touched: {{layout, state key}, ...}, indices from 1
--
-- LAYOUTS, above: for each entity its rings of labels {{offset, tile_ms, slots}, ...}, offsets from 0
--
-- Returns 0 and changes nothing if the cursor stands elsewhere, else 1.

if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end

local events = cmsgpack.unpack(ARGV[5])
local exists = {}
for _, event in ipairs(events) do
  for _, touched in ipairs(event[6]) do
    local k = touched[2]
    if exists[k] == nil then exists[k] = redis.call('EXISTS', KEYS[k]) == 1 end
    if exists[k] then learn(KEYS[k], LAYOUTS[touched[1]], event) end
  end
end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], ARGV[2])
  redis.call('RPUSH', KEYS[2], cmsgpack.pack({ARGV[1], ARGV[2], KEYS, events}))
  redis.call('LTRIM', KEYS[2], -tonumber(ARGV[3]), -1)
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return 1
