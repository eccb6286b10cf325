-- Read the journal of every entity that some rows touch, as it is, and append the rows to it. One
-- call is one micro-batch: atomic, and once for each transaction id.
--
-- Or make up for rows that were decided without it: of these nobody wants to see the journals, all
-- of which may be missing. A journal that was rebuilt since then may have found them on record: it
-- is dropped, and they are put aside for it as if it had been missing.
--
-- KEYS  1 .. n: journals, each once; then one marker for each of m rows that are to be appended, no
--       transaction twice; then, for each journal that may be missing, the list of rows put aside;
--       to make up: then what is there while a journal was rebuilt lately
-- ARGV  1: n; 2: m; 3: how long a journal is kept, seconds; 4: how long a marker is kept, seconds
--       5: receipt of this call; the i-th marker says "<receipt>:<i>"
--       6: msgpack {day of the newest row that is appended, ...} for each journal
--       7: msgpack {journal, ...}: numbers of those that may be missing, or ''
--       8: '', or to make up: {how long ago the rows were decided, how long "lately" is}, ms
--       9 .. 8 + n: what is appended to each journal, perhaps ''
--       then, for each that may be missing, what is put aside in its place: each after its length
--
-- Returns {2, marker, what it holds, ...} if rows were seen before, {0, journal, ...} if journals are
-- missing that may not be, all by number: nothing is changed then. Else {1, {journal, ...}}, as they
-- were, false for those that are missing: for these the rows are put aside (install.lua). To make
-- up: {1}.

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

local making_up = ARGV[8] ~= ''
if making_up then
  local ago, lately = unpack(cmsgpack.unpack(ARGV[8]))
  for k = 1, n do
    if journals[k] and ARGV[8 + k] ~= '' then
      -- Without the mark PTTL is negative: it was rebuilt longer ago than `lately`.
      local rebuilt = lately - call('PTTL', KEYS[2 * n + m + k])
      if ago >= min(rebuilt, lately) then
        call('UNLINK', KEYS[k])
        journals[k] = false
      end
    end
  end
end

local function put_aside(key, rows)
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
    put_aside(KEYS[n + m + aside[k]], ARGV[8 + n + aside[k]])
  elseif events ~= '' then
    call('APPEND', KEYS[k], events)
    -- A journal is let go some time after it was touched last: by the day is near enough.
    if days[k] > unpack_bytes('<I4', journal, DAY_AT) then
      call('SETRANGE', KEYS[k], DAY_AT - 1, struct.pack('<I4', days[k]))
      call('EXPIRE', KEYS[k], keep_s)
    end
  end
end
local receipt = ARGV[5] .. ':'
for i = 1, m do call('SET', KEYS[n + i], receipt .. i, 'EX', keep_marker_s) end
return making_up and {1} or {1, journals}
