-- What the first decisions on some transactions ($1 tenants, $2 ids) were based on, in the features
-- of schema $3. One for which nobody was asked ($4 among its reasons) was not: its payment was not
-- observed.
SELECT x.n - 1 AS n, d.features, d.age_ms
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS x (tenant, id, n)
CROSS JOIN LATERAL (
    SELECT features, (record ->> 'feature_age_ms')::bigint AS age_ms
    FROM decisions
    WHERE transaction_id = x.id AND tenant = x.tenant AND schema_id = $3
      AND NOT $4 = ANY (degraded)
    ORDER BY decided_at
    LIMIT 1
) AS d
