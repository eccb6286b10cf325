-- Payments of tenant $1 that came on record at $2 or later without a decision (they were loaded),
-- in the order in which they came.
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
    t.longitude,
    floor(extract(epoch FROM t.received_at) * 1000)::bigint AS received_ms
FROM transactions AS t
WHERE t.tenant = $1
  AND t.received_at >= $2
  AND NOT EXISTS (
      SELECT FROM decisions AS d
      WHERE d.tenant = t.tenant AND d.transaction_id = t.transaction_id
  )
ORDER BY t.received_at, t.occurred_at, t.transaction_id;
