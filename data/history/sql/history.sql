-- The payments of tenant $1 between $3 and $4 (exclusive) in order of time, each with its newest
-- label known at $2. Both tables are read and joined as a whole: see `bulk_read`.
SELECT
    -- include data/history/sql/payment_columns.sql
    , l.is_fraud
    , l.known_at_ms
FROM transactions AS t
LEFT JOIN (
    SELECT DISTINCT ON (transaction_id)
        transaction_id,
        is_fraud,
        (extract(epoch FROM known_at) * 1000)::bigint AS known_at_ms
    FROM labels
    WHERE tenant = $1 AND known_at <= $2
    ORDER BY transaction_id, known_at DESC, label_id DESC
) AS l ON l.transaction_id = t.transaction_id
WHERE t.tenant = $1 AND t.occurred_at >= $3 AND t.occurred_at < $4
ORDER BY t.occurred_at, t.transaction_id;
