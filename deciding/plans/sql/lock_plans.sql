-- One writer at a time, until the transaction ends: versions rise without holes, one plan is active.
SELECT pg_advisory_xact_lock(hashtext('quorum.plans'))
