-- Which rows of a micro-batch may be decided: each counts in all of its counters or in none.
--
-- Needs NOW (microseconds) and BUCKETS. KEYS: the counters. ARGV[1], msgpack:
--   { bucket length of each counter (us), quotas of each policy, rows, counters to report }
-- where rows is flat: a row is the number of its policy, then the numbers of its counters, one for
-- each quota of the policy. Numbers start at 0.
--
-- A window is BUCKETS buckets long and overlaps at most BUCKETS + 1 of them. A counter sums all of
-- these, so no window ever holds more than the quota. It is stored as { number of the newest
-- bucket, its count, the count of the one before, ... }.
--
-- Returns msgpack: { used rows of each reported counter, us until the oldest of them is forgotten,
-- ... } and { row, index of the quota that refused it, us until such a row is admitted, ... }.
local spans, policies, rows, reported = unpack(cmsgpack.unpack(ARGV[1]))
local call, decode, encode = redis.call, cmsgpack.unpack, cmsgpack.pack
local floor, ceil, min = math.floor, math.ceil, math.min
local rings, used, added, moved = {}, {}, {}, {}

local function load(c, value)
  local newest = floor(NOW / spans[c])
  added[c] = 0
  if not value then
    rings[c], used[c] = {newest, 0}, 0
    return
  end
  local old, sum = decode(value), 0
  local was = old[1]
  -- The clock was set back: nothing is forgotten before its time, nor much after it.
  if was > newest + BUCKETS then was, moved[c] = newest + 1, true end
  if was >= newest then
    old[1] = was
    for i = 2, #old do sum = sum + old[i] end
    rings[c], used[c] = old, sum
    return
  end
  local shift, ring = newest - was, {newest, 0}
  if shift <= BUCKETS then
    for i = 3, shift + 1 do ring[i] = 0 end
    for i = 2, min(#old, BUCKETS + 2 - shift) do
      ring[i + shift] = old[i]
      sum = sum + old[i]
    end
  end
  rings[c], used[c] = ring, sum
end

-- Return the microseconds until at least `rows` rows of a counter are forgotten.
local function back(c, rows)
  local ring = rings[c]
  for i = #ring, 2, -1 do
    rows = rows - ring[i] - (i == 2 and added[c] or 0)
    if rows <= 0 then
      return (ring[1] - (i - 2) + BUCKETS + 1) * spans[c] - NOW
    end
  end
  return 0
end

for first = 1, #KEYS, 1000 do
  local values = call('MGET', unpack(KEYS, first, min(first + 999, #KEYS)))
  for i = 1, #values do load(first + i - 1, values[i]) end
end

local refused = {}
local at, row, last = 1, 0, #rows
while at <= last do
  local quotas = policies[rows[at] + 1]
  local by, wait = 0, 0
  for j = 1, #quotas do
    local c = rows[at + j] + 1
    if used[c] >= quotas[j] then
      -- Of several limits that refuse, the one with the longest wait.
      local own = back(c, used[c] - quotas[j] + 1)
      if own > wait then by, wait = j, own end
    end
  end
  if by == 0 then
    for j = 1, #quotas do
      local c = rows[at + j] + 1
      used[c], added[c] = used[c] + 1, added[c] + 1
    end
  else
    local n = #refused
    refused[n + 1], refused[n + 2], refused[n + 3] = row, by - 1, wait
  end
  at, row = at + #quotas + 1, row + 1
end

local report = {}
for i = 1, #reported do
  local c = reported[i] + 1
  report[2 * i - 1], report[2 * i] = used[c], back(c, 1)
end

for c = 1, #KEYS do
  if added[c] > 0 or moved[c] then
    local ring = rings[c]
    ring[2] = ring[2] + added[c]
    local lasts = (ring[1] + BUCKETS + 1) * spans[c] - NOW
    call('PSETEX', KEYS[c], ceil(lasts / 1000) + 1, encode(ring))
  end
end
return encode({report, refused})
