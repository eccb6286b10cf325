SELECT key_id, tenant, name, tier, scopes, created_at, expires_at, revoked_at,
       CASE WHEN revoked_at IS NOT NULL THEN 'revoked'
            WHEN expires_at <= now() THEN 'expired'
            ELSE 'active' END AS state
FROM api_keys
WHERE tenant = $1
ORDER BY created_at, key_id
