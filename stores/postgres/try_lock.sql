-- Held until the session ends. Locks with two keys never collide with those with one.
SELECT pg_try_advisory_lock(hashtext($1), hashtext($2))
