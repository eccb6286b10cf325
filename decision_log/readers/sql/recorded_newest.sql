-- The newest $2 decisions of tenant $1 whole, newest first, each with the label of its payment that
-- holds at $3. The label of an id that another payment used before belongs to that one.
-- tenant || '': by the id alone (migration 0007).
SELECT
    d.decision_id::text AS decision_id,
    (extract(epoch FROM d.decided_at) * 1000)::bigint AS decided_ms,
    d.plan,
    d.plan_version,
    d.outcome,
    d.probability,
    d.schema_id,
    d.features,
    d.record::text AS record,
    l.is_fraud,
    (extract(epoch FROM l.known_at) * 1000)::bigint AS known_ms
FROM decisions AS d
LEFT JOIN LATERAL (
    SELECT n.is_fraud, n.known_at
    FROM labels AS n
    WHERE n.tenant || '' = d.tenant
      AND n.transaction_id = d.transaction_id
      AND n.known_at <= $3
      AND NOT $4::text = ANY(d.degraded)
    ORDER BY n.known_at DESC, n.label_id DESC
    LIMIT 1
) AS l ON TRUE
WHERE d.tenant = $1
ORDER BY d.decision_id DESC
LIMIT $2;
