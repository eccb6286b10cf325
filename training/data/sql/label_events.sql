-- Every label of tenant $1 that was news when it came, in the order in which it could be known and
-- was on record: with the payment it is about, and with the label that it replaced. One that is
-- older than the label in force, or that came to be known more than $2 days after the payment, is
-- no event.
SELECT
    floor(extract(epoch FROM l.effective_at) * 1000)::bigint AS effective_ms,
    (extract(epoch FROM l.known_at) * 1000)::bigint AS known_ms,
    l.is_fraud,
    t.amount_hundredths,
    t.customer_id,
    t.merchant_id,
    t.device_id,
    t.counterparty_id,
    (extract(epoch FROM former.known_at) * 1000)::bigint AS former_ms,
    former.is_fraud AS former_fraud
FROM labels AS l
JOIN transactions AS t ON t.tenant = l.tenant AND t.transaction_id = l.transaction_id
LEFT JOIN LATERAL (
    SELECT p.known_at, p.is_fraud, p.label_id
    FROM labels AS p
    WHERE p.tenant = l.tenant
      AND p.transaction_id = l.transaction_id
      AND (p.effective_at, p.label_id) < (l.effective_at, l.label_id)
      AND p.known_at <= t.occurred_at + $2 * interval '1 day'
    ORDER BY p.known_at DESC, p.label_id DESC
    LIMIT 1
) AS former ON TRUE
WHERE l.tenant = $1
  AND l.known_at <= t.occurred_at + $2 * interval '1 day'
  AND (former.label_id IS NULL OR (l.known_at, l.label_id) > (former.known_at, former.label_id))
ORDER BY l.effective_at, l.label_id;
