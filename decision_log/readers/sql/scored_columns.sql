    (extract(epoch FROM d.decided_at) * 1000)::bigint AS decided_ms,
    d.schema_id,
    d.probability,
    (d.record -> 'votes')::text AS votes,
