-- Append labels to the journals of what they are about, and move the cursor past them: atomic.
-- Journals that do not exist are left alone: whoever rebuilds one counts its labels. What is learnt
-- is kept in a log for a short while, for journals that are being rebuilt now (install.lua).
--
-- KEYS  1: the cursor; 2: the log; 3 .. : journals, each once
-- ARGV  1: where the cursor must stand, '' for anywhere; 2: where it is put, '' to leave it
--       3: how many batches the log keeps; 4: for how long, seconds
--       5: how long a journal may be, bytes; 6 .. : what is appended to each journal
--
-- Returns {0} and changes nothing if the cursor stands elsewhere, else {1, number of a journal that is
-- longer now, ...}.

if ARGV[1] ~= '' and redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end

local keys, events, reply = {}, {}, {1}
local most_bytes = tonumber(ARGV[5])
for k = 1, #KEYS - 2 do
  local key = KEYS[k + 2]
  keys[k], events[k] = key, ARGV[k + 5]
  if redis.call('EXISTS', key) == 1 and redis.call('APPEND', key, events[k]) > most_bytes then
    reply[#reply + 1] = k
  end
end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[1], ARGV[2])
  redis.call('RPUSH', KEYS[2], cmsgpack.pack({ARGV[1], ARGV[2], keys, events}))
  redis.call('LTRIM', KEYS[2], -tonumber(ARGV[3]), -1)
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
return reply
