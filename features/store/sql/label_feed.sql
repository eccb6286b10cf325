-- The labels that took effect after the last learnt one, in order, each with its payment and with
-- the label in force before it.
-- $1, $2 the last learnt label (effective_at, label_id); $3 end of the search; $4 largest number of
-- labels; $5 longest time from a payment to a label that counts.
-- Payments are searched between two literals (span.py), those that the labels may count for.
-- tenant || '': use the index on the id alone (migration 0007).
--
-- is_event: the payment is on record, the label counts, and no label in force is newer;
-- is_found: the payment is on record between the two literals, and the label counts.
WITH due AS (
    SELECT *
    FROM labels
    WHERE (effective_at, label_id) > ($1, $2) AND effective_at <= $3
    ORDER BY effective_at, label_id
    LIMIT $4
)
SELECT
    d.label_id,
    d.effective_at,
    d.tenant,
    (extract(epoch FROM d.known_at) * 1000)::bigint AS known_at_ms,
    d.is_fraud,
    t.amount_hundredths,
    t.customer_id,
    t.merchant_id,
    t.device_id,
    t.counterparty_id,
    (extract(epoch FROM o.known_at) * 1000)::bigint AS previous_ms,
    o.is_fraud AS previous_fraud,
    t.tenant IS NOT NULL
        AND (o.label_id IS NULL OR (d.known_at, d.label_id) > (o.known_at, o.label_id)) AS is_event,
    t.tenant IS NOT NULL AS is_found,
    d.transaction_id
FROM due d
LEFT JOIN transactions t
    ON t.tenant || '' = d.tenant AND t.transaction_id = d.transaction_id
    AND t.occurred_at >= d.known_at - $5::interval
    AND t.occurred_at >= {since} AND t.occurred_at < {until}
LEFT JOIN LATERAL (
    SELECT l.label_id, l.known_at, l.is_fraud
    FROM labels l
    WHERE l.tenant || '' = d.tenant AND l.transaction_id = d.transaction_id
      AND (l.effective_at, l.label_id) < (d.effective_at, d.label_id)
      AND l.known_at <= t.occurred_at + $5::interval
    ORDER BY l.known_at DESC, l.label_id DESC
    LIMIT 1
) o ON true
ORDER BY d.effective_at, d.label_id
