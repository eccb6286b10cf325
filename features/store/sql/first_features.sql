-- The features of schema $3 on which some transactions ($1 tenants, $2 ids) were first decided since
-- $4, and the ids of their entities. Decisions degraded for reason $5 are left out: they had no
-- features. Those degraded for $6 may include the payment itself: better than nothing. Those for $7
-- are about another payment of the same id, and come last. The literal bound is the day of $4
-- (span.py), for pruning of partitions. tenant || '': use the index on the id alone (migration 0007).
SELECT x.n - 1 AS n, d.features, d.age_ms, d.degraded, d.customer_id, d.merchant_id,
    d.device_id, d.counterparty_id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS x (tenant, id, n)
CROSS JOIN LATERAL (
    SELECT
        features, (record ->> 'feature_age_ms')::bigint AS age_ms, degraded, customer_id,
        record -> 'transaction' ->> 'merchant_id' AS merchant_id,
        record -> 'transaction' ->> 'device_id' AS device_id,
        record -> 'transaction' ->> 'counterparty_id' AS counterparty_id
    FROM decisions
    WHERE transaction_id = x.id AND tenant || '' = x.tenant AND schema_id = $3
      AND decided_at >= {since} AND decided_at >= $4 AND NOT $5 = ANY (degraded)
    ORDER BY $7 = ANY (degraded), $6 = ANY (degraded), decided_at
    LIMIT 1
) AS d
