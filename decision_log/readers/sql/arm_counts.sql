-- What arms did, in slices of time: decisions of the tenants $1 under version $3 of the plan $2, of
-- the time $4 until $5. $6 and $7, the lowest decision ids of both times, find the rows; the times
-- find the partitions. $8: length of a slice, seconds; $9: two waits for votes in one bucket differ
-- by this factor at most.
--
-- Waits come as buckets, and slices as counts, so that a look back moves hundreds of numbers and not
-- a hundred thousand records. Each record is parsed once.
SELECT
    floor(extract(epoch FROM d.decided_at) / $8::float8)::bigint AS slice,
    coalesce(r.arm, '') AS arm,
    round(ln(greatest((r.stage_ms ->> 'votes')::float8, 0.001)) / ln($9::float8))::int AS wait,
    count(*) AS decisions,
    count(*) FILTER (WHERE array_to_string(d.degraded, ' ') LIKE '%variant\_%') AS errors,
    count(*) FILTER (WHERE d.outcome = 'block') AS blocks
FROM decisions AS d
CROSS JOIN LATERAL json_to_record(d.record) AS r (arm text, stage_ms json)
WHERE d.tenant = ANY($1::text[])
  AND d.plan = $2
  AND d.plan_version = $3
  AND d.decided_at >= $4
  AND d.decided_at < $5
  AND d.decision_id >= $6
  AND d.decision_id < $7
GROUP BY 1, 2, 3;
