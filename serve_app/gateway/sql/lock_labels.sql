-- Serialize writers of labels of the same payment ($2) and source ($3). All writers lock in the same
-- order, so that two that write the same labels do not deadlock.
SELECT pg_advisory_xact_lock(key)
FROM (
    SELECT DISTINCT
        hashtextextended('quorum.label.' || $1 || '.' || s.transaction_id || '.' || s.source, 0) AS key
    FROM unnest($2::text[], $3::text[]) AS s (transaction_id, source)
    ORDER BY key
) AS keys
