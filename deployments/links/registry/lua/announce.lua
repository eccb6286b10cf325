-- Add or refresh an entry, on the clock of Redis.
-- KEYS[1]: the hash of the entries. ARGV: the entry's name, its value without the time, and for how
-- many seconds the hash outlives its last entry.
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. time[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
