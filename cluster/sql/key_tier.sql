UPDATE api_keys SET tier = $3 WHERE tenant = $1 AND key_id = $2
RETURNING tier
