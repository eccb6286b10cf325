-- One writer of plans at a time: versions rise without holes and exactly one plan is active.
SELECT pg_advisory_xact_lock(hashtext('quorum.plans'))
