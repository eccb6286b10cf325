-- Put rebuilt journals where there is none yet, and after them the rows that were put aside and the
-- labels that were learnt since.
--
-- KEYS  1: the cursor; 2: the log of labels; then n journals; then n lists of rows put aside; then
--       what says of each journal that it was rebuilt lately
-- ARGV  1: where the cursor stood when they were rebuilt; 2: how long a journal is kept, seconds
--       3: how long that is lately, seconds
--       4: msgpack {[tenant] = {[transaction id] = whether it is missing in them}}
--       5 .. : the journals
--
-- Returns 0 and changes nothing if the log does not reach back to then, else {number of a journal
-- that was not put, ...}: a row was put aside for it of which it is not known whether it is in it.

local EVENT_BYTES = 48
local n = (#KEYS - 2) / 3
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

local is_missing = cmsgpack.unpack(ARGV[4])

-- The rows that were put aside and are missing; nil if that is not known of one of them.
local function rows_aside(key)
  local rows = {}
  for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local size = struct.unpack('<I4', text, EVENT_BYTES + 1)
    local tenant = string.sub(text, EVENT_BYTES + 5, EVENT_BYTES + 4 + size)
    local id = string.sub(text, EVENT_BYTES + 5 + size)
    local missing = (is_missing[tenant] or {})[id]
    if missing == nil then return nil end
    if missing then rows[#rows + 1] = string.sub(text, 1, EVENT_BYTES) end
  end
  return rows
end

local installed, refused = {}, {}
for i = 1, n do
  local key, aside = KEYS[2 + i], KEYS[2 + n + i]
  if redis.call('EXISTS', key) == 0 then
    local rows = rows_aside(aside)
    if rows then
      redis.call('SET', key, ARGV[4 + i] .. table.concat(rows), 'EX', ARGV[2])
      redis.call('SET', KEYS[2 + 2 * n + i], '', 'EX', ARGV[3])
      redis.call('DEL', aside)
      installed[key] = true
    else
      refused[#refused + 1] = i
    end
  end
end
for _, entry in ipairs(missed) do
  for j, key in ipairs(entry[3]) do
    if installed[key] then redis.call('APPEND', key, entry[4][j]) end
  end
end
return refused
