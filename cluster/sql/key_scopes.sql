UPDATE api_keys SET scopes = $3 WHERE tenant = $1 AND key_id = $2
RETURNING scopes
