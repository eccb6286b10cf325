-- A partition is only ever added to, and what it is planned by hardly changes while it grows; how
-- many rows there are the planner knows from the size of the file. It is sampled when it has
-- doubled: by default that is after every tenth of growth, a third of a second each time.
CREATE FUNCTION settle_growing(partition regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s SET (autovacuum_analyze_scale_factor = 1)', partition);
END
$$;

SELECT settle_growing(inhrelid) FROM pg_inherits
WHERE inhparent IN ('transactions'::regclass, 'decisions'::regclass);

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
        PERFORM settle_growing(to_regclass(child));
        IF parent = 'decisions' THEN
            PERFORM settle_decisions(to_regclass(child));
        END IF;
    END IF;
EXCEPTION WHEN check_violation THEN
    -- The default partition already holds rows of this month: they stay there, and so do new ones.
    NULL;
END
$$;
