-- The period of the $3 newest decisions of tenant $1 since $2. It begins with the millisecond of the
-- first of them. Without decisions: nulls.
SELECT
    min(decided_at) AS first_at,
    timestamptz 'epoch' + min(occurred_ms) * interval '1 millisecond' AS oldest_payment,
    count(*) AS decisions
FROM (
    SELECT decided_at, (record -> 'transaction' ->> 'timestamp_ms')::bigint AS occurred_ms
    FROM decisions
    WHERE tenant = $1 AND decided_at >= $2
    ORDER BY decided_at DESC
    LIMIT $3
) AS newest;
