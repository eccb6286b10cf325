-- Put rebuilt states where there is none yet, and into these the rows that were put aside for them
-- and the labels that were learnt since.
--
-- KEYS  1: the cursor; 2: the log of labels; then n state keys; then n keys of rows put aside
-- ARGV  1: where the cursor stood when the states were rebuilt; 2: how long a state is kept,
--       seconds; 3: msgpack {[tenant] = {[transaction id] = true}}: which were left out of them;
--       4 .. : the states
--
-- LAYOUTS, above, as in learn.lua; STEPS as in observe.lua
--
-- Returns 0 and changes nothing if the log does not reach back to then, else {index of a state that
-- was not put, ...}: a row was put aside for it that may be in it already.

local n = (#KEYS - 2) / 2
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

local left_out = cmsgpack.unpack(ARGV[3])

-- The rows that were put aside; nil if one of them may be in the state already.
local function rows_aside(key)
  local rows = {}
  for i, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local id, row, touched = unpack(cmsgpack.unpack(text))
    if not (left_out[id[1]] and left_out[id[1]][id[2]]) then return nil end
    rows[i] = {row, touched}
  end
  return rows
end

local installed, refused = {}, {}
for i = 1, n do
  local key, aside = KEYS[2 + i], KEYS[2 + n + i]
  if redis.call('EXISTS', key) == 0 then
    local rows = rows_aside(aside)
    if rows then
      redis.call('SET', key, ARGV[3 + i], 'EX', ARGV[2])
      for _, entry in ipairs(rows) do
        local row, touched = entry[1], entry[2]
        STEPS[touched[1]](key, redis.call('GET', key), row, touched)
      end
      redis.call('DEL', aside)
      installed[key] = true
    else
      refused[#refused + 1] = i
    end
  end
end
for _, entry in ipairs(missed) do
  for _, event in ipairs(entry[4]) do
    for _, touched in ipairs(event[6]) do
      local key = entry[3][touched[2]]
      if installed[key] then learn(key, LAYOUTS[touched[1]], event) end
    end
  end
end
return refused
