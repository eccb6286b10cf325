-- What shadows would have decided, beside the decisions that were made. Never read while deciding.
CREATE TABLE shadow_decisions (
    tenant       text        NOT NULL,
    decision_id  uuid        NOT NULL,
    decided_at   timestamptz NOT NULL,
    plan         text        NOT NULL,
    plan_version integer     NOT NULL,
    shadow       text        NOT NULL,
    outcome      text        NOT NULL,
    probability  float8      NOT NULL,
    votes        jsonb       NOT NULL,   -- variant, version, digest, status, score of each
    elapsed_ms   real        NOT NULL,
    PRIMARY KEY (decision_id, shadow)
);

-- Reports read the shadows of one plan over a span of time.
CREATE INDEX shadow_decisions_plan ON shadow_decisions (tenant, plan, decided_at);
