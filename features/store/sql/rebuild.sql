-- The parts of the state of each of n entities: times of newest events, tiles, partners.
-- Names in braces are filled from the entity's declaration (rebuild.py). The search is bounded by
-- literals (span.py), so that planning time does not grow with the months on record.
-- tenant || '': use the index on the id alone (migration 0007).
-- $1 tenants, $2 ids (n each); $3, $4 tenants and ids of transactions to leave out; $5, $6 the last
-- label that counts (effective_at, label_id); $7 longest time from a payment to a label that counts;
-- $8 how far before an entity's newest payment to search labelled payments.
WITH wanted AS (
    SELECT ordinality - 1 AS n, tenant, id
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (tenant, id, ordinality)
),
-- Used with NOT IN, which is hashed once. NOT EXISTS would scan all of them for each payment while
-- searching an entity's newest one.
left_out AS (
    SELECT tenant, id FROM unnest($3::text[], $4::text[]) AS x (tenant, id)
),
newest AS (
    SELECT w.n, w.tenant, w.id, max(last.occurred_at) AS occurred_at
    FROM wanted w
    CROSS JOIN LATERAL (
{newest}
    ) last
    GROUP BY w.n, w.tenant, w.id
),
rows AS (
{rows}
),
events AS (
    SELECT
        n,
        leg,
        (extract(epoch FROM occurred_at) * 1000)::bigint AS at_ms,
        (extract(epoch FROM last_at) * 1000)::bigint AS last_ms,
        amount_hundredths AS hundredths,
        -- rounded as in features/state/state.py
        least(
            floor(amount_hundredths::float8 * amount_hundredths::float8 / 100.0 + 0.5),
            9007199254740992
        )::bigint AS squares,
        amount_hundredths >= {band_start} AND amount_hundredths < {threshold} AS near,
        located,
        CASE WHEN located THEN
            least(greatest(round(latitude * 1e6::float8), -90e6), 90e6)::bigint + 90000000
        END AS lat,
        CASE WHEN located THEN
            least(greatest(round(longitude * 1e6::float8), -180e6), 180e6)::bigint + 180000000
        END AS lon,
        merchant_category, merchant_id, device_id, counterparty_id, customer_id
    FROM rows
    -- NaN is greater than everything
    CROSS JOIN LATERAL (
        SELECT coalesce(
            latitude > '-Infinity' AND latitude < 'Infinity'
            AND longitude > '-Infinity' AND longitude < 'Infinity', false
        ) AS located
    ) place
){labels}
SELECT n, 'last' AS part, max(last_ms) AS a, NULL::text AS partner,
       0::numeric AS v1, 0::numeric AS v2, 0::numeric AS v3
FROM events GROUP BY n
{parts}
