-- Redis' own clock: one for all who ask, in microseconds.
local time = redis.call('TIME')
local NOW = time[1] * 1000000 + time[2]
