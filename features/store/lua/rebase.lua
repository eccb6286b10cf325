-- Give journals new bases, in the place of the old ones and of the events that are in the new.
--
-- KEYS  journals
-- ARGV  for each: how its old base begins; how many bytes of the journal the new one stands for; how
--       the new one begins, up to the day; the new one
--
-- One that does not begin with its old base any more is left alone: somebody else was faster.

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
