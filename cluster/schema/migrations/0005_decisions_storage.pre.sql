-- A decision's row lies in its page as it is. PostgreSQL spent a third of the time of an insert on
-- compressing features and record, which hardly shrink, and on moving them out of line.
ALTER TABLE decisions
    ALTER COLUMN features SET STORAGE EXTERNAL,
    ALTER COLUMN record SET STORAGE EXTERNAL;

-- What a partition of decisions does not take over from its parent. Nobody plans queries by what
-- is in the two columns, so nobody need sample them.
CREATE FUNCTION settle_decisions(partition regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s SET (toast_tuple_target = 8160)', partition);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN features SET STATISTICS 0', partition);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN record SET STATISTICS 0', partition);
END
$$;

SELECT settle_decisions(inhrelid) FROM pg_inherits WHERE inhparent = 'decisions'::regclass;

-- As before, and settled.
CREATE OR REPLACE FUNCTION ensure_month(parent text, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    first timestamp := date_trunc('month', at AT TIME ZONE 'UTC');
    child text := format('%s_%s', parent, to_char(first, 'YYYY_MM'));
BEGIN
    IF to_regclass(child) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('quorum.ensure_month.' || parent));
    IF to_regclass(child) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
            child, parent,
            first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC'
        );
        IF parent = 'decisions' THEN
            PERFORM settle_decisions(to_regclass(child));
        END IF;
    END IF;
EXCEPTION WHEN check_violation THEN
    -- The default partition already holds rows of this month: they stay there, and so do new ones.
    NULL;
END
$$;
