-- Decisions of tenant $1 from $2 on, with their features, in the order in which they were made: a
-- decision id begins with its time, and ids of one micro-batch rise.
-- tenant || '': by the id alone (migration 0007).
SELECT
    d.decision_id::text AS decision_id,
    (extract(epoch FROM d.decided_at) * 1000)::bigint AS decided_ms,
    (d.record -> 'transaction')::text AS payment,
    d.schema_id,
    d.degraded,
    d.features,
    -- A retry: there is an earlier decision on the payment, perhaps with the same features.
    earlier.decision_id IS NOT NULL AS retry,
    coalesce(earlier.features = d.features, FALSE) AS as_before
FROM decisions AS d
LEFT JOIN LATERAL (
    SELECT e.decision_id, e.features
    FROM decisions AS e
    WHERE e.tenant || '' = d.tenant
      AND e.transaction_id = d.transaction_id
      AND e.decided_at <= d.decided_at
      AND e.decision_id < d.decision_id
    ORDER BY e.decided_at, e.decision_id
    LIMIT 1
) AS earlier ON TRUE
WHERE d.tenant = $1 AND d.decided_at >= $2
ORDER BY d.decided_at, d.decision_id;
