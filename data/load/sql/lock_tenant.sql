-- One chunk of a tenant's at a time: what two files say under one id is seen by one of them.
SELECT pg_advisory_xact_lock(hashtext('quorum.load'), hashtext($1));
