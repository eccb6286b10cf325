-- Labels of one payment from one source are written one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('quorum.label.' || $1 || '.' || $2 || '.' || $3, 0))
