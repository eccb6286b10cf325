-- Replace the base and the first events of journals by a new base that includes them.
--
-- KEYS  journals
-- ARGV  for each: head of the old base; number of bytes of the journal that the new base replaces;
--       head of the new base, up to the day; the new base
--
-- A journal that begins with another base is skipped: another process was faster.

local DAY_AT, DAY_BYTES = 13, 4
for i, key in ipairs(KEYS) do
  local at = 4 * i - 3
  local journal = redis.call('GET', key)
  if journal and string.sub(journal, 1, DAY_AT - 1) == ARGV[at] then
    redis.call('SET', key, ARGV[at + 2] .. string.sub(journal, DAY_AT, DAY_AT + DAY_BYTES - 1)
      .. ARGV[at + 3] .. string.sub(journal, ARGV[at + 1] + 1), 'KEEPTTL')
  end
end
return 1
