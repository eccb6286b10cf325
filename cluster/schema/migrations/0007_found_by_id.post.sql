-- Labels of one payment are found by its id, as everything else is (migration 0006). Whoever looks
-- for an id hides the tenant from the planner (`tenant || ''`): of a tenant that it knows nothing of
-- it expects one row, and then takes an index that begins with the tenant for as good as one that
-- begins with the id, and goes through all that the tenant has, once for each id.
ALTER TABLE labels DROP CONSTRAINT labels_tenant_transaction_id_known_at_source_key;
ALTER TABLE labels ADD UNIQUE (transaction_id, tenant, known_at, source);

-- What migrations have written anew has no statistics, and nobody but us ever makes those of a
-- table as a whole: autovacuum looks at partitions alone.
ANALYZE transactions;
ANALYZE decisions;
ANALYZE labels;
