-- The payments of some decisions ($2). $3 and $4, taken from the ids, let the planner skip partitions.
SELECT
    decision_id, transaction_id, (record -> 'transaction' ->> 'timestamp_ms')::bigint AS occurred_ms,
    degraded @> '{transaction_reused}' AS is_reused
FROM decisions
WHERE tenant = $1 AND decision_id = ANY($2::uuid[]) AND decided_at >= $3 AND decided_at <= $4
