-- A fixed window: count ARGV[2] more rows of KEYS[1] in a window of ARGV[1] seconds.
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then
    redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return count
