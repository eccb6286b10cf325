-- Put rebuilt states where there is none yet, unless labels were learnt since they were rebuilt.
--
-- KEYS  1: the cursor; 2 .. : state keys
-- ARGV  1: where the cursor stood; 2: how long a state is kept, seconds; 3 .. : the states
--
-- Returns 0 and changes nothing if the cursor stands elsewhere, else 1.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for k = 2, #KEYS do
  redis.call('SET', KEYS[k], ARGV[k + 1], 'EX', ARGV[2], 'NX')
end
return 1
