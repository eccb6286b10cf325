-- Payments of tenant $1 of which a label arrived after $2; null: of which one ever did.
SELECT count(DISTINCT transaction_id)
FROM labels
WHERE tenant = $1 AND ($2::timestamptz IS NULL OR received_at > $2);
