-- What a source said of a payment as of one moment.
SELECT is_fraud, known_at, received_at
FROM labels
WHERE tenant = $1 AND transaction_id = $2 AND source = $3 AND known_at = $4
