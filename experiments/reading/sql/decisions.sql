-- Decisions of tenant $1 under plan $2, version $3 (null: all versions), made from $4 until $5, each
-- with the label of its payment that holds at $5. $6: digests of the plans that count, null: all.
--
-- The record is parsed once. Labels do not belong to a decision that reused the id of another
-- payment. tenant || '': by the id alone (migration 0007).
SELECT
    d.decision_id,
    (extract(epoch FROM d.decided_at) * 1000)::bigint AS decided_ms,
    hashtextextended(d.customer_id, 0) AS customer,
    hashtextextended(d.transaction_id, 0) AS payment,
    d.plan_version,
    d.outcome,
    d.probability,
    cardinality(d.degraded) > 0 AS degraded,
    coalesce(r.arm, '') AS arm,
    r.plan ->> 'digest' AS digest,
    r.votes::text AS votes,
    r.stage_ms::text AS stage_ms,
    r.transaction::text AS transaction,
    l.is_fraud,
    (extract(epoch FROM l.effective_at) * 1000)::bigint AS known_ms
FROM decisions AS d
CROSS JOIN LATERAL
    json_to_record(d.record) AS r (arm text, plan json, votes json, stage_ms json, transaction json)
LEFT JOIN LATERAL (
    SELECT n.is_fraud, n.effective_at
    FROM labels AS n
    WHERE n.tenant || '' = d.tenant AND n.transaction_id = d.transaction_id AND n.known_at <= $5
    ORDER BY n.known_at DESC, n.label_id DESC
    LIMIT 1
) AS l ON TRUE
WHERE d.tenant = $1
  AND d.plan = $2
  AND ($3::integer IS NULL OR d.plan_version = $3)
  AND d.decided_at >= $4
  AND d.decided_at < $5
  AND ($6::text[] IS NULL OR r.plan ->> 'digest' = ANY($6))
  AND NOT d.degraded @> '{transaction_reused}';
