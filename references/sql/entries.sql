-- Without documents: a thousand of them would be tens of megabytes.
SELECT owner, name, version, tenant, alias, kind, digest, columns, best, metrics, label_rate, rows,
       size_bytes, location, trained_at, times_used, used_at
FROM reference_models
WHERE $1::text IS NULL OR owner IN ('', $1)
ORDER BY owner = '', name, alias = 'champion' DESC, trained_at DESC, version;
