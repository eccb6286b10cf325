-- Make a node the head: $1 host:port of its Ray, $2 facts. The identity of the cluster stays.
INSERT INTO cluster (head, facts) VALUES ($1, $2::jsonb)
ON CONFLICT (only_row) DO UPDATE SET head = $1, facts = $2::jsonb, started_at = now()
RETURNING cluster_id::text
