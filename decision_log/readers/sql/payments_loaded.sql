-- Payments of tenant $1 that were recorded at $2 or later without a decision (they were loaded), in
-- the order of recording.
SELECT
    -- include data/history/sql/payment_columns.sql
    , floor(extract(epoch FROM t.received_at) * 1000)::bigint AS received_ms
FROM transactions AS t
WHERE t.tenant = $1
  AND t.received_at >= $2
  AND NOT EXISTS (
      SELECT FROM decisions AS d
      WHERE d.tenant = t.tenant AND d.transaction_id = t.transaction_id
  )
ORDER BY t.received_at, t.occurred_at, t.transaction_id;
