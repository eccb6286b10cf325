-- The life of a plan: whose it is, who stored it and why, and when it began to decide.

-- '' is the house: its plan decides for every tenant without one of its own.
ALTER TABLE plans
    ADD COLUMN owner  text NOT NULL DEFAULT '',
    ADD COLUMN author text NOT NULL DEFAULT '',   -- '' where nobody was noted
    ADD COLUMN reason text NOT NULL DEFAULT '';

ALTER TABLE plans DROP CONSTRAINT plans_pkey;
ALTER TABLE plans ADD PRIMARY KEY (owner, name, version);

DROP INDEX plans_active;
CREATE UNIQUE INDEX plans_active ON plans (owner) WHERE active;

-- Every change of what decides. A row stays whatever becomes of its plan.
CREATE TABLE activations (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner            text        NOT NULL,
    name             text,                  -- NULL: none of its own, so the house's decides
    version          integer,
    activated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    author           text        NOT NULL DEFAULT '',
    reason           text        NOT NULL DEFAULT '',
    automatic        boolean     NOT NULL DEFAULT false,  -- by a guard rail or a ramp, not a person
    previous_name    text,
    previous_version integer,
    CHECK ((name IS NULL) = (version IS NULL)),
    CHECK ((previous_name IS NULL) = (previous_version IS NULL))
);

CREATE INDEX activations_owner ON activations (owner, id DESC);

INSERT INTO activations (owner, name, version, activated_at, reason)
SELECT owner, name, version, created_at, 'active before activations were recorded'
FROM plans
WHERE active;

-- Combiners listen: whoever writes, they read the table at once. Without an announcement, behind a
-- pooler, they find the change at their next poll.
CREATE FUNCTION announce_plans() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('quorum_plans', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER plans_announced
    AFTER INSERT OR UPDATE OR DELETE ON plans
    FOR EACH STATEMENT EXECUTE FUNCTION announce_plans();
