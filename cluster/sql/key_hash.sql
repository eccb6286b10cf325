-- The hash of a key that works now.
SELECT hash FROM api_keys
WHERE tenant = $1 AND key_id = $2 AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > now())
