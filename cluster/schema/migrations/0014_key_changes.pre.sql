-- When a key was last revoked or given another tier or scopes. Ingresses ask for recent changes, so
-- that a revocation counts on every node after a second or two. NULL: never since this migration.
ALTER TABLE api_keys ADD COLUMN changed_at timestamptz;

CREATE INDEX api_keys_changed ON api_keys (changed_at) WHERE changed_at IS NOT NULL;

CREATE FUNCTION note_key_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at = clock_timestamp();
    RETURN NEW;
END
$$;

CREATE TRIGGER api_keys_changes
    BEFORE UPDATE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION note_key_change();
