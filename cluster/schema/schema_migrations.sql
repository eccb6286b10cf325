-- Which migrations were applied.
CREATE TABLE IF NOT EXISTS schema_migrations (
    file       text        PRIMARY KEY,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    seconds    real        NOT NULL
)
