-- What the first decisions on some transactions ($1 tenants, $2 ids) were based on, in the features
-- of schema $3; not those that are degraded for a reason of $4: they saw nothing, or themselves.
SELECT x.n - 1 AS n, d.features, d.age_ms
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS x (tenant, id, n)
CROSS JOIN LATERAL (
    SELECT features, (record ->> 'feature_age_ms')::bigint AS age_ms
    FROM decisions
    WHERE transaction_id = x.id AND tenant = x.tenant AND schema_id = $3
      AND NOT degraded && $4::text[]
    ORDER BY decided_at
    LIMIT 1
) AS d
