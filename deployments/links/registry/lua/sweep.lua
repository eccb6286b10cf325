-- Remove entries that are still as they were when somebody found them to be old: their replica may
-- have announced them since.
-- KEYS[1]: the hash of the entries. ARGV: name, value, name, value, ...
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
