-- An API key by its public part.
SELECT tenant, scopes, hash, expires_at, revoked_at
FROM api_keys
WHERE key_id = $1
