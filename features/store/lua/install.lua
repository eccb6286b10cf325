-- Install rebuilt journals that do not exist yet, with the rows that were set aside for them and the
-- labels learnt since.
--
-- KEYS  1: the cursor; 2: the log of labels; then n journals; then n lists of rows set aside; then n
--       marks of recently rebuilt journals
-- ARGV  1: the cursor at the time of the rebuild; 2: expiry of a journal, seconds
--       3: expiry of a mark, seconds
--       4: msgpack {[tenant] = {[transaction id] = whether the journals lack it}}
--       5 .. : the journals
--
-- Returns 0 and changes nothing if the log does not reach back to the cursor of ARGV[1]. Else returns
-- {number of a journal that was not installed, ...}: a row set aside for it is not in ARGV[4].

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

-- The rows set aside that the journals lack; nil if one of them is not in ARGV[4].
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
