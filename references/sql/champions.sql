SELECT digest, version, alias, size_bytes, location, times_used
FROM reference_models
WHERE owner IN ('', $1) AND alias = 'champion'
ORDER BY owner = '', name;
