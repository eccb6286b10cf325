-- Held until the session ends. The two numbers are a space of keys of its own beside hashtext alone.
SELECT pg_try_advisory_lock(hashtext($1), hashtext($2))
