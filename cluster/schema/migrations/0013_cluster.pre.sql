-- What the nodes of one Quorum have in common: one row, written by its head. A node that joins
-- compares itself with it.
CREATE TABLE cluster (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    cluster_id uuid        NOT NULL DEFAULT gen_random_uuid(),
    head       text        NOT NULL,   -- host:port of the head's Ray
    facts      jsonb       NOT NULL,   -- see cluster/membership/facts.py
    started_at timestamptz NOT NULL DEFAULT now()
);
