INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)
SELECT $1, transaction_id, is_fraud, known_at, $2
FROM load_staging
WHERE is_fraud IS NOT NULL
ON CONFLICT DO NOTHING;
