-- Register a limiter and return how many are registered. Needs NOW (microseconds).
-- KEYS[1]: a sorted set of limiters by the time of their last call. ARGV: the caller's name, us until
-- a silent one is forgotten.
redis.call('ZADD', KEYS[1], NOW, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', NOW - ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000))
return redis.call('ZCARD', KEYS[1])
