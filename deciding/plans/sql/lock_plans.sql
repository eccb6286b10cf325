-- One writer until the transaction ends: versions rise without gaps, and one plan is active.
SELECT pg_advisory_xact_lock(hashtext('quorum.plans'))
