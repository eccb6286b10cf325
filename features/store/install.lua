-- Put rebuilt states where there is none yet, and into these the labels that were learnt since.
--
-- KEYS  1: the cursor; 2: the log of labels; 3 .. : state keys
-- ARGV  1: where the cursor stood when the states were rebuilt; 2: how long a state is kept,
--       seconds; 3 .. : the states
--
-- LAYOUTS, above, as in learn.lua
--
-- Returns 0 and changes nothing if the log does not reach back to then, else 1.

local missed, at = {}, ARGV[1]
if redis.call('GET', KEYS[1]) ~= at then
  for _, text in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local entry = cmsgpack.unpack(text)
    if entry[1] == at then
      missed[#missed + 1] = entry
      at = entry[2]
    end
  end
  if redis.call('GET', KEYS[1]) ~= at then return 0 end
end

local installed = {}
for k = 3, #KEYS do
  if redis.call('SET', KEYS[k], ARGV[k], 'EX', ARGV[2], 'NX') then installed[KEYS[k]] = true end
end
for _, entry in ipairs(missed) do
  for _, event in ipairs(entry[4]) do
    for _, touched in ipairs(event[6]) do
      local key = entry[3][touched[2]]
      if installed[key] then learn(key, LAYOUTS[touched[1]], event) end
    end
  end
end
return 1
