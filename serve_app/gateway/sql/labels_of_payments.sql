-- All labels of some payments ($2), oldest first.
-- tenant || '': forces the index by transaction id alone (migration 0007).
SELECT transaction_id, decision_id, is_fraud, source, known_at, received_at
FROM labels
WHERE tenant || '' = $1 AND transaction_id = ANY($2::text[])
ORDER BY known_at, label_id
