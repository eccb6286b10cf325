-- The labels of tenant $1 in the order in which they were both known and on record, each with its
-- payment and the label that it replaced. A label is not an event if it is older than the label in
-- force, or became known more than $2 days after the payment. Both tables are read and joined as a
-- whole: see `bulk_read`.
WITH counted AS (
    SELECT
        l.label_id,
        l.transaction_id,
        l.effective_at,
        (extract(epoch FROM l.known_at) * 1000000)::bigint AS known_us,
        l.is_fraud,
        t.occurred_at,
        t.amount_hundredths,
        t.customer_id,
        t.merchant_id,
        t.device_id,
        t.counterparty_id
    FROM labels AS l
    JOIN transactions AS t ON t.transaction_id = l.transaction_id
    WHERE l.tenant = $1
      AND t.tenant = $1
      AND l.known_at <= t.occurred_at + $2 * interval '1 day'
),

-- The label in force when one arrives is the newest known of those that arrived before.
compared AS (
    SELECT
        c.*,
        max(ARRAY[c.known_us, c.label_id, c.is_fraud::int]) OVER (
            PARTITION BY c.transaction_id, c.occurred_at
            ORDER BY c.effective_at, c.label_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS former
    FROM counted AS c
)

SELECT
    floor(extract(epoch FROM c.effective_at) * 1000)::bigint AS effective_ms,
    round(c.known_us / 1000.0)::bigint AS known_ms,
    c.is_fraud,
    c.amount_hundredths,
    c.customer_id,
    c.merchant_id,
    c.device_id,
    c.counterparty_id,
    round(c.former[1] / 1000.0)::bigint AS former_ms,
    c.former[3] = 1 AS former_fraud
FROM compared AS c
WHERE c.former IS NULL OR (c.known_us, c.label_id) > (c.former[1], c.former[2])
ORDER BY c.effective_at, c.label_id;
