-- One chunk of a tenant at a time, so that the second of two files with the same id sees the first.
SELECT pg_advisory_xact_lock(hashtext('quorum.load'), hashtext($1));
