-- What the state of each of n entities is made of: its newest event, its tiles, its partners.
-- What stands in braces is built from the entity's declaration (postgres.py).
-- $1 tenants, $2 ids (n each); $3, $4 tenants and ids of transactions that are to be left out.
WITH wanted AS (
    SELECT ordinality - 1 AS n, tenant, id
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (tenant, id, ordinality)
),
newest AS (
    SELECT w.n, w.tenant, w.id, last.occurred_at
    FROM wanted w
    CROSS JOIN LATERAL (
        SELECT t.occurred_at
        FROM transactions t
        WHERE t.tenant = w.tenant AND t.{column} = w.id
          AND NOT EXISTS (
              SELECT FROM unnest($3::text[], $4::text[]) AS x (tenant, id)
              WHERE x.tenant = t.tenant AND x.id = t.transaction_id
          )
        ORDER BY t.occurred_at DESC
        LIMIT 1
    ) last
),
events AS (
    SELECT w.n,
           (extract(epoch FROM t.occurred_at) * 1000)::bigint AS at_ms,
           (extract(epoch FROM w.occurred_at) * 1000)::bigint AS last_ms,
           t.amount_hundredths,
           floor(t.amount_hundredths::float8 * t.amount_hundredths::float8 / 100.0 + 0.5) AS squares,
           t.merchant_id, t.device_id, t.counterparty_id, t.customer_id
    FROM newest w
    JOIN transactions t
      ON t.tenant = w.tenant AND t.{column} = w.id
     AND t.occurred_at > w.occurred_at - interval '61 days'
    WHERE NOT EXISTS (
        SELECT FROM unnest($3::text[], $4::text[]) AS x (tenant, id)
        WHERE x.tenant = t.tenant AND x.id = t.transaction_id
    )
)
-- kind 0: the newest event; 1 .. : a tile of that ring; -1 .. : a partner of that table
SELECT n, 0 AS kind, max(last_ms) AS a, NULL::text AS partner, 0::bigint AS count,
       0::numeric AS total, 0::float8 AS squares
FROM events GROUP BY n
{tiles}
{partners}
