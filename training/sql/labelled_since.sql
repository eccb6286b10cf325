-- The number of tenant $1's payments with a label received after $2; null: with any label.
SELECT count(DISTINCT transaction_id)
FROM labels
WHERE tenant = $1 AND ($2::timestamptz IS NULL OR received_at > $2);
