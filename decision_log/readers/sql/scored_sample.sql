-- A sample of tenant $1's decisions at $2 or later, with the newest label of each. $3: how many of
-- 65,536 hash values of payments are in the sample, which is the same each time.
-- tenant || '': by the id alone (migration 0007).
SELECT
    -- include decision_log/readers/sql/scored_columns.sql
    d.features,
    l.is_fraud,
    (extract(epoch FROM l.known_at) * 1000)::bigint AS known_ms
FROM decisions AS d
LEFT JOIN LATERAL (
    SELECT n.is_fraud, n.known_at
    FROM labels AS n
    WHERE n.tenant || '' = d.tenant AND n.transaction_id = d.transaction_id
    ORDER BY n.known_at DESC, n.label_id DESC
    LIMIT 1
) AS l ON TRUE
WHERE d.tenant = $1 AND d.decided_at >= $2 AND (hashtext(d.transaction_id) & 65535) < $3
ORDER BY d.decision_id;
