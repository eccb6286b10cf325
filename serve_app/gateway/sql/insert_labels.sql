-- Insert labels, one array per column. A label is not returned if its source already has one for the
-- same moment.
INSERT INTO labels (tenant, transaction_id, source, known_at, is_fraud, decision_id)
SELECT $1, s.transaction_id, s.source, s.known_at, s.is_fraud, s.decision_id
FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::boolean[], $6::uuid[])
    WITH ORDINALITY AS s (transaction_id, source, known_at, is_fraud, decision_id, nth)
ORDER BY s.nth
ON CONFLICT (tenant, transaction_id, known_at, source) DO NOTHING
RETURNING transaction_id, source, known_at, received_at
