-- The tenant's own before the house's; without a version, the champion.
SELECT digest, version, alias, size_bytes, location, times_used, document
FROM reference_models
WHERE owner IN ('', $1)
  AND name = $2
  AND CASE WHEN $3 = '' THEN alias = 'champion' ELSE version = $3 END
ORDER BY owner = ''
LIMIT 1;
