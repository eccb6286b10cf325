-- For the newest $2 labels of tenant $1 that are known by now: the newest decision at $3 or later on
-- each payment, without features. tenant || '': by the id alone (migration 0007).
WITH newest AS (
    SELECT n.transaction_id, n.is_fraud, n.known_at, n.label_id
    FROM labels AS n
    WHERE n.tenant = $1 AND n.known_at <= now()
    ORDER BY n.known_at DESC
    LIMIT $2
),

held AS (
    SELECT DISTINCT ON (n.transaction_id) n.transaction_id, n.is_fraud, n.known_at
    FROM newest AS n
    ORDER BY n.transaction_id, n.known_at DESC, n.label_id DESC
)

SELECT
    -- include decision_log/readers/sql/scored_columns.sql
    ''::bytea AS features,
    h.is_fraud,
    (extract(epoch FROM h.known_at) * 1000)::bigint AS known_ms
FROM held AS h
CROSS JOIN LATERAL (
    SELECT e.*
    FROM decisions AS e
    WHERE e.tenant || '' = $1 AND e.transaction_id = h.transaction_id AND e.decided_at >= $3
    ORDER BY e.decided_at DESC
    LIMIT 1
) AS d;
