INSERT INTO api_keys (key_id, tenant, name, hash, tier, scopes, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
