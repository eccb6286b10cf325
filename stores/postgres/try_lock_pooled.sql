-- Held until the transaction ends. The same lock as that of try_lock.sql.
SELECT pg_try_advisory_xact_lock(hashtext($1), hashtext($2))
