-- What the first decisions since $4 on some transactions ($1 tenants, $2 ids) were based on, in the
-- features of schema $3. One that is degraded for reason $5 was based on nothing; one that is for
-- reason $6, or travelled with one that is, may have seen itself: better than nothing. $4 as a
-- literal (span.py) keeps the plan to its partitions. tenant || '': by the id alone (migration 0007).
SELECT x.n - 1 AS n, d.features, d.age_ms
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS x (tenant, id, n)
CROSS JOIN LATERAL (
    SELECT features, (record ->> 'feature_age_ms')::bigint AS age_ms
    FROM decisions
    WHERE transaction_id = x.id AND tenant || '' = x.tenant AND schema_id = $3
      AND decided_at >= {since} AND decided_at >= $4 AND NOT $5 = ANY (degraded)
    ORDER BY $6 = ANY (degraded), decided_at
    LIMIT 1
) AS d
