-- The plans that decisions were made under, once each: whatever becomes of `plans`, a decision's
-- record finds the document by its digest and notices if it was changed.
CREATE TABLE recorded_plans (
    digest      text        PRIMARY KEY,   -- SHA-256 hex, see fraud.record.plan_digest
    document    jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
