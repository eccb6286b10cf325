-- Which of some transactions ($1 tenants, $2 ids) are on record between the two literals between
-- which states are rebuilt (span.py). tenant || '': use the index on the id alone (migration 0007).
SELECT x.tenant, x.id
FROM unnest($1::text[], $2::text[]) AS x (tenant, id)
WHERE EXISTS (
    SELECT FROM transactions t
    WHERE t.transaction_id = x.id AND t.tenant || '' = x.tenant
      AND t.occurred_at >= {since} AND t.occurred_at < {until}
)
