-- The payments of tenant $1 under some ids ($2), with the columns of `PaymentIdentity`.
-- tenant || '' makes the planner use the index that begins with the id (migration 0007).
SELECT
    t.transaction_id,
    (extract(epoch FROM t.occurred_at) * 1000)::bigint AS at_ms,
    t.customer_id,
    t.amount_minor,
    t.currency,
    t.merchant_id,
    t.counterparty_id,
    t.device_id
FROM unnest($2::text[]) AS x (id)
JOIN transactions AS t ON t.transaction_id = x.id AND t.tenant || '' = $1
ORDER BY t.occurred_at;
