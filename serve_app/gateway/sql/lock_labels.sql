-- Labels of one payment ($2) from one source ($3) are written one after the other. In one order,
-- whoever writes, so that two who write the same labels do not wait for each other.
SELECT pg_advisory_xact_lock(key)
FROM (
    SELECT DISTINCT
        hashtextextended('quorum.label.' || $1 || '.' || s.transaction_id || '.' || s.source, 0) AS key
    FROM unnest($2::text[], $3::text[]) AS s (transaction_id, source)
    ORDER BY key
) AS keys
