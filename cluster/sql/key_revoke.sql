UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE tenant = $1 AND key_id = $2
RETURNING revoked_at
