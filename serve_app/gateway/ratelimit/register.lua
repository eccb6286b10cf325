-- How many of us there are. Needs NOW (microseconds).
-- KEYS[1]: a sorted set: who, by when they were last here. ARGV: who asks, us until one is forgotten.
redis.call('ZADD', KEYS[1], NOW, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', NOW - ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000))
return redis.call('ZCARD', KEYS[1])
