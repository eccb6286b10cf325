-- The newest $2 decisions of tenant $1 at $3 or later.
SELECT
    -- include decision_log/readers/sql/scored_columns.sql
    d.features,
    NULL::boolean AS is_fraud,
    NULL::bigint AS known_ms
FROM decisions AS d
WHERE d.tenant = $1 AND d.decided_at >= $3
ORDER BY d.decision_id DESC
LIMIT $2;
