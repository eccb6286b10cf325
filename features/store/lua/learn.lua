-- Append labels to journals and move the cursor past them, atomically. Missing journals are skipped:
-- a rebuild counts their labels. A log keeps the labels for a short time, for journals that are being
-- rebuilt now (install.lua).
--
-- KEYS  1: the cursor; 2: the log; 3 .. : journals, each once
-- ARGV  1: the expected cursor, '' for any; 2: the new cursor, '' to leave it
--       3: number of batches that the log keeps; 4: its expiry, seconds
--       5: largest length of a journal, bytes; 6 .. : the labels to append to each journal
--
-- Returns {0} and changes nothing if the cursor is another, else {1, number of a journal that is too
-- long now, ...}.

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
