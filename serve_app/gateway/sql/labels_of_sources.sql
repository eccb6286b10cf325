-- The labels of some payments ($2) from some sources ($3).
-- tenant || '': forces the index by transaction id alone (migration 0007).
SELECT transaction_id, source, is_fraud, known_at, received_at
FROM labels
WHERE tenant || '' = $1 AND transaction_id = ANY($2::text[]) AND source = ANY($3::text[])
