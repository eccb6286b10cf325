-- What decisions saw, in the order in which they were made: a decision id begins with its moment,
-- and those of one micro-batch rise. $1 tenant, $2 the moment of the first of them.
-- tenant || '': by the id alone (migration 0007).
SELECT
    d.decision_id::text AS decision_id,
    (extract(epoch FROM d.decided_at) * 1000)::bigint AS decided_ms,
    (d.record -> 'transaction')::text AS payment,
    d.schema_id,
    d.degraded,
    d.features,
    -- A retry: the same payment was decided on before, and perhaps saw the same.
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
