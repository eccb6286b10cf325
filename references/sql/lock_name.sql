-- One reference of a name is added or removed at a time, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('reference ' || $1 || '/' || $2, 0));
