-- Every label of tenant $1 that was news when it came, in the order in which it could be known and
-- was on record: with the payment it is about, and with the label that it replaced. One that is
-- older than the label in force, or that came to be known more than $2 days after the payment, is
-- no event. Both tables are read whole and joined as wholes: see `bulk_read`.
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

-- The one in force when a label came is the newest known one of those that came before it.
judged AS (
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
    floor(extract(epoch FROM j.effective_at) * 1000)::bigint AS effective_ms,
    round(j.known_us / 1000.0)::bigint AS known_ms,
    j.is_fraud,
    j.amount_hundredths,
    j.customer_id,
    j.merchant_id,
    j.device_id,
    j.counterparty_id,
    round(j.former[1] / 1000.0)::bigint AS former_ms,
    j.former[3] = 1 AS former_fraud
FROM judged AS j
WHERE j.former IS NULL OR (j.known_us, j.label_id) > (j.former[1], j.former[2])
ORDER BY j.effective_at, j.label_id;
