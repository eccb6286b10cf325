-- Keep a label; no row comes back if this source already said something of that moment.
INSERT INTO labels (tenant, transaction_id, source, known_at, is_fraud, decision_id)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant, transaction_id, known_at, source) DO NOTHING
RETURNING is_fraud, known_at, received_at
