-- An index of the reference models in the artifact store: what the data looked like on which models
-- were trained. `document` holds everything and is kept out of line; the other columns are for
-- searches and lists, which never read it.
CREATE TABLE reference_models (
    name        text        NOT NULL,
    version     text        NOT NULL,             -- first 12 hex digits of the digest
    owner       text        NOT NULL DEFAULT '',  -- '': every tenant may use it
    tenant      text        NOT NULL,             -- whose data it learnt from
    alias       text        NOT NULL DEFAULT '',  -- 'champion': the newest of its name and owner
    kind        text        NOT NULL CHECK (kind IN ('tabular', 'history')),
    digest      text        NOT NULL,
    document    json        NOT NULL,             -- text as it was written: jsonb is twice as slow
    columns     integer     NOT NULL,
    best        text        NOT NULL,             -- the variant that scores files
    metrics     jsonb       NOT NULL,             -- of `best`, on its own test part
    label_rate  float8      NOT NULL,
    rows        bigint      NOT NULL,
    size_bytes  bigint      NOT NULL,
    location    text        NOT NULL,             -- of the artifact store
    trained_at  timestamptz NOT NULL,
    times_used  bigint      NOT NULL DEFAULT 0,
    used_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (owner, name, version)
);

-- Only the newest of a name matches files.
CREATE UNIQUE INDEX reference_champions ON reference_models (owner, name) WHERE alias = 'champion';
