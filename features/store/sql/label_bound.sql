-- Wait until all current writers of labels have committed (migration 0003).
SELECT pg_advisory_xact_lock(hashtextextended('quorum.labels', 0))
