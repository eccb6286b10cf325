-- What a source last said of a payment.
SELECT is_fraud, known_at, received_at
FROM labels
WHERE tenant = $1 AND transaction_id = $2 AND source = $3
ORDER BY known_at DESC
LIMIT 1
