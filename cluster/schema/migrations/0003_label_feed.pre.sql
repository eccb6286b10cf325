-- Labels are learnt once each, in the order in which they take effect: known, and here.
ALTER TABLE labels ALTER COLUMN received_at SET DEFAULT clock_timestamp();
ALTER TABLE labels
    ADD COLUMN effective_at timestamptz GENERATED ALWAYS AS (greatest(known_at, received_at)) STORED;
CREATE INDEX labels_effective ON labels (effective_at, label_id);

-- Whoever writes labels holds this lock, shared, from before their `received_at` until they are
-- committed. Whoever holds it alone for a moment knows that no label of an earlier `effective_at`
-- is still to come (features/store/label_bound.sql).
CREATE FUNCTION labels_are_written() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('quorum.labels', 0));
    RETURN NULL;
END
$$;

CREATE TRIGGER labels_are_written BEFORE INSERT OR UPDATE ON labels
    FOR EACH STATEMENT EXECUTE FUNCTION labels_are_written();
