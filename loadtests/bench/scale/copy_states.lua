-- Give customers ARGV[2] .. ARGV[3] the state of the customer ARGV[1], whose key is KEYS[1].
local state = redis.call('DUMP', KEYS[1])
local first, last = string.find(KEYS[1], ARGV[1], 1, true)
local head, tail = string.sub(KEYS[1], 1, first - 1), string.sub(KEYS[1], last + 1)
for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do
    redis.call('RESTORE', head .. 'c' .. string.format('%d', i) .. tail, 0, state, 'REPLACE')
end
