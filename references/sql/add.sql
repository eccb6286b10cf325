INSERT INTO reference_models (
    owner, name, version, tenant, alias, kind, digest, document, columns, best, metrics,
    label_rate, rows, size_bytes, location, trained_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (owner, name, version) DO UPDATE
SET alias = excluded.alias,
    size_bytes = excluded.size_bytes,
    location = excluded.location;
