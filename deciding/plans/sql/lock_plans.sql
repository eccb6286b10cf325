-- One writer until the transaction ends: versions rise without gaps, one plan an owner is active.
SELECT pg_advisory_xact_lock(hashtext('quorum.plans'))
