-- Keys that were changed in the last $1 seconds, and when.
SELECT key_id, changed_at
FROM api_keys
WHERE changed_at > clock_timestamp() - make_interval(secs => $1)
