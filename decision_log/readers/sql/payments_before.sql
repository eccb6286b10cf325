-- Payments of tenant $1 that were on record before $2 and happened at $3 or later: what the state
-- of entities held when the first decision was made. The order does not matter to state. A payment
-- that was loaded first and decided on later is part of state from the decision on.
SELECT
    t.transaction_id,
    t.customer_id,
    (extract(epoch FROM t.occurred_at) * 1000)::bigint AS timestamp_ms,
    t.amount_minor,
    t.currency,
    t.type,
    t.merchant_id,
    t.merchant_category,
    t.counterparty_id,
    t.device_id,
    t.ip_address,
    t.country,
    t.channel,
    t.latitude,
    t.longitude
FROM transactions AS t
LEFT JOIN (
    SELECT d.transaction_id, min(d.decided_at) AS first_at
    FROM decisions AS d
    WHERE d.tenant = $1
    GROUP BY d.transaction_id
) AS decided ON decided.transaction_id = t.transaction_id
WHERE t.tenant = $1
  AND t.received_at < $2
  AND t.occurred_at >= $3
  AND (decided.first_at IS NULL OR decided.first_at < $2)
ORDER BY t.occurred_at;
