-- The clock of Redis, in microseconds: one for all ingresses.
local time = redis.call('TIME')
local NOW = time[1] * 1000000 + time[2]
