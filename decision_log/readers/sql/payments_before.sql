-- Payments of tenant $1 that were recorded before $2 and happened at $3 or later: the state of
-- entities when the first decision was made. State does not depend on their order. A payment that was
-- loaded first and decided on later is part of the state from the decision on.
SELECT
    -- include data/history/sql/payment_columns.sql
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
