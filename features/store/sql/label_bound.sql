-- Waits until those who write labels now have committed (migration 0003).
SELECT pg_advisory_xact_lock(hashtextextended('quorum.labels', 0))
