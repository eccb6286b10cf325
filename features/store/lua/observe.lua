-- Read the journals of all entities that some rows touch, then append the rows to them. One call is
-- one micro-batch: atomic, and once for each transaction id.
--
-- Or catch up on rows that were decided without the store. All their journals may be missing, and
-- none is returned. A journal rebuilt since the decision may include them from the record: it is
-- dropped, and the rows are set aside as if it had been missing.
--
-- KEYS  1 .. n: journals, each once; then one marker for each of m rows to append, no transaction
--       twice; then, for each journal that may be missing, the list of rows set aside;
--       to catch up: then the n marks of recently rebuilt journals
-- ARGV  1: n; 2: m; 3: expiry of a journal, seconds; 4: expiry of a marker, seconds
--       5: receipt of this call; the i-th marker holds "<receipt>:<i>"
--       6: msgpack {day of the newest appended row, ...} for each journal
--       7: msgpack {journal, ...}: numbers of journals that may be missing, or ''
--       8: '', or to catch up: {how long ago the rows were decided, expiry of a mark}, ms
--       9 .. 8 + n: the events to append to each journal, perhaps ''
--       then, for each journal that may be missing, the rows to set aside, each after its length
--
-- Returns, by number, {2, marker, its value, ...} if rows were seen before, or {0, journal, ...} if
-- journals are missing that must not be; nothing is changed then. Else returns {1, {journal, ...}}
-- as they were before, false for missing ones, whose rows are set aside (install.lua). Catching up
-- returns {1}.

local call, unpack_bytes = redis.call, struct.unpack
local min = math.min
local n, m, keep_s, keep_marker_s = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local DAY_AT = 13

local function get(first, last, each)
  for from = first, last, 1000 do
    local till = min(from + 999, last)
    local got = call('MGET', unpack(KEYS, from, till))
    for i = 1, till - from + 1 do each(from - first + i, got[i]) end
  end
end

local seen, missing, journals, aside = {2}, {0}, {}, {}
get(n + 1, n + m, function(i, value)
  if value then
    seen[#seen + 1] = i
    seen[#seen + 1] = value
  end
end)
if #seen > 1 then return seen end

if ARGV[7] ~= '' then
  for i, k in ipairs(cmsgpack.unpack(ARGV[7])) do aside[k] = i end
end
get(1, n, function(k, value)
  journals[k] = value
  if not value and not aside[k] then missing[#missing + 1] = k end
end)
if #missing > 1 then return missing end

local catching_up = ARGV[8] ~= ''
if catching_up then
  local ago, lately = unpack(cmsgpack.unpack(ARGV[8]))
  for k = 1, n do
    if journals[k] and ARGV[8 + k] ~= '' then
      -- Without a mark PTTL is negative: the journal was rebuilt longer ago than `lately`.
      local rebuilt = lately - call('PTTL', KEYS[2 * n + m + k])
      if ago >= min(rebuilt, lately) then
        call('UNLINK', KEYS[k])
        journals[k] = false
      end
    end
  end
end

local function set_aside(key, rows)
  local at = 1
  while at <= #rows do
    local size = unpack_bytes('<I4', rows, at)
    call('RPUSH', key, string.sub(rows, at + 4, at + 3 + size))
    at = at + 4 + size
  end
  call('EXPIRE', key, keep_s)
end

local days = cmsgpack.unpack(ARGV[6])
for k = 1, n do
  local journal, events = journals[k], ARGV[8 + k]
  if not journal then
    set_aside(KEYS[n + m + aside[k]], ARGV[8 + n + aside[k]])
  elseif events ~= '' then
    call('APPEND', KEYS[k], events)
    -- The expiry counts from the last event; extending it once a day is enough.
    if days[k] > unpack_bytes('<I4', journal, DAY_AT) then
      call('SETRANGE', KEYS[k], DAY_AT - 1, struct.pack('<I4', days[k]))
      call('EXPIRE', KEYS[k], keep_s)
    end
  end
end
local receipt = ARGV[5] .. ':'
for i = 1, m do call('SET', KEYS[n + i], receipt .. i, 'EX', keep_marker_s) end
return catching_up and {1} or {1, journals}
