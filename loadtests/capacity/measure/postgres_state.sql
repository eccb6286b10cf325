-- What the records have taken so far, in bytes; and the number of indexes to which a record adds at a
-- random place: neither those that begin with a time or with a decision's id, which grows with time,
-- nor those of few records.
WITH parts AS (
    SELECT c.oid, c.relname, inhparent::regclass::text AS parent
    FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
    WHERE inhparent IN ('transactions'::regclass, 'decisions'::regclass) AND c.relkind = 'r'
)
SELECT
    pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS wal,
    (SELECT coalesce(sum(pg_table_size(oid)), 0) FROM parts) AS tables,
    (SELECT coalesce(sum(pg_indexes_size(oid)), 0) FROM parts) AS indexes,
    (
        SELECT count(*)
        FROM pg_index i
        WHERE i.indrelid IN ('transactions'::regclass, 'decisions'::regclass)
          AND pg_get_indexdef(i.indexrelid) !~ '\((tenant, )?(decided_at|occurred_at|decision_id)'
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ~ '^\(\w+ IS NOT NULL\)$')
    ) AS random_indexes
