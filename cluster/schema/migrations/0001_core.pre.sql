-- The system of record: payments, what was decided on them, what they turned out to be.

-- Monthly partitions are made by whoever writes (ensure_month); a row of a month that nobody
-- announced lands in the default partition, never nowhere.
CREATE TABLE transactions (
    tenant            text        NOT NULL,
    transaction_id    text        NOT NULL,
    occurred_at       timestamptz NOT NULL,  -- whole milliseconds: windows are cut in milliseconds
    received_at       timestamptz NOT NULL DEFAULT now(),
    customer_id       text        NOT NULL,
    amount_minor      bigint      NOT NULL CHECK (amount_minor > 0),
    currency          text        NOT NULL,
    type              text        NOT NULL,
    merchant_id       text,
    merchant_category text,
    counterparty_id   text,
    device_id         text,
    ip_address        text,
    country           text,
    channel           text,
    latitude          double precision,
    longitude         double precision,
    -- hundredths of a currency unit: what windows add up (see fraud/currency.py)
    amount_hundredths bigint      NOT NULL,
    PRIMARY KEY (tenant, transaction_id, occurred_at)
) PARTITION BY RANGE (occurred_at);

CREATE TABLE transactions_default PARTITION OF transactions DEFAULT;

-- One index an entity: a cold entity's state is rebuilt from its newest 60 days.
CREATE INDEX transactions_customer ON transactions (tenant, customer_id, occurred_at DESC);
CREATE INDEX transactions_merchant ON transactions (tenant, merchant_id, occurred_at DESC)
    WHERE merchant_id IS NOT NULL;
CREATE INDEX transactions_device ON transactions (tenant, device_id, occurred_at DESC)
    WHERE device_id IS NOT NULL;
CREATE INDEX transactions_counterparty ON transactions (tenant, counterparty_id, occurred_at DESC)
    WHERE counterparty_id IS NOT NULL;
-- Training reads history in the order in which it happened.
CREATE INDEX transactions_time ON transactions (tenant, occurred_at, transaction_id);

CREATE TABLE decisions (
    tenant         text             NOT NULL,
    decision_id    uuid             NOT NULL,  -- UUIDv7: its time part is decided_at
    decided_at     timestamptz      NOT NULL,
    transaction_id text             NOT NULL,
    customer_id    text             NOT NULL,
    outcome        text             NOT NULL
        CHECK (outcome IN ('approve', 'challenge', 'review', 'block')),
    probability    double precision NOT NULL,
    anomaly_score  double precision,
    plan           text             NOT NULL,
    plan_version   integer          NOT NULL,
    degraded       text[]           NOT NULL DEFAULT '{}',
    schema_id      text             NOT NULL,
    features       bytea            NOT NULL,  -- float32 little-endian, in schema order
    record         jsonb            NOT NULL,  -- the self-contained DecisionRecord
    PRIMARY KEY (tenant, decision_id, decided_at)
) PARTITION BY RANGE (decided_at);

CREATE TABLE decisions_default PARTITION OF decisions DEFAULT;

CREATE INDEX decisions_transaction ON decisions (tenant, transaction_id, decided_at DESC);
CREATE INDEX decisions_customer ON decisions (tenant, customer_id, decided_at DESC);
CREATE INDEX decisions_worklist ON decisions (tenant, outcome, decided_at DESC)
    WHERE outcome <> 'approve';

-- What a payment turned out to be. Later labels correct earlier ones: the newest known_at holds.
CREATE TABLE labels (
    label_id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant         text        NOT NULL,
    transaction_id text        NOT NULL,
    is_fraud       boolean     NOT NULL,
    known_at       timestamptz NOT NULL,   -- from when on anybody could have known
    source         text        NOT NULL,   -- chargeback, analyst, customer, history, ...
    decision_id    uuid,
    received_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant, transaction_id, known_at, source)
);

CREATE INDEX labels_known ON labels (tenant, known_at);

CREATE TABLE api_keys (
    key_id     text        PRIMARY KEY,
    tenant     text        NOT NULL,
    name       text        NOT NULL,
    hash       bytea       NOT NULL,       -- HMAC-SHA-256 of the whole key
    tier       text        NOT NULL DEFAULT 'standard',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

CREATE INDEX api_keys_tenant ON api_keys (tenant);

CREATE TABLE plans (
    name       text        NOT NULL,
    version    integer     NOT NULL CHECK (version > 0),
    document   jsonb       NOT NULL,
    active     boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);

CREATE UNIQUE INDEX plans_active ON plans (active) WHERE active;

-- How far each file has been loaded: a run that was killed goes on from here.
CREATE TABLE load_progress (
    tenant     text        NOT NULL,
    source     text        NOT NULL,       -- SHA-256 over layout, file name, size and first bytes
    rows_done  bigint      NOT NULL,
    rows_bad   bigint      NOT NULL,
    finished   boolean     NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, source)
);

-- Make the month partition that holds `at`, once, whoever asks at the same time.
CREATE FUNCTION ensure_month(parent text, at timestamptz) RETURNS void
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
    END IF;
EXCEPTION WHEN check_violation THEN
    -- The default partition already holds rows of this month: they stay there, and so do new ones.
    NULL;
END
$$;
