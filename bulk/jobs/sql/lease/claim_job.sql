-- Take one job of the store $1 whose lease is free: first those that were begun, then of the tenant
-- whose turn was longest ago the oldest, so that a tenant with many jobs holds up no other.
-- A lease far in the future is from before the clock was set back; a runner that lives renews it.
UPDATE jobs SET
    lease_owner = $2,
    lease_until = clock_timestamp() + make_interval(secs => $3),
    attempts = attempts + 1,
    started_at = coalesce(started_at, clock_timestamp()),
    state = CASE WHEN state = 'queued' THEN 'reading' ELSE state END
WHERE job_id = (
    SELECT job_id FROM jobs
    WHERE storage = $1
      AND ($4::uuid IS NULL OR job_id = $4)
      AND state IN ('queued', 'reading', 'scoring', 'finishing')
      AND (lease_until IS NULL OR lease_until <= clock_timestamp()
           OR lease_until > clock_timestamp() + make_interval(secs => 2 * $3))
    ORDER BY state = 'queued',
             (SELECT max(others.started_at) FROM jobs AS others WHERE others.tenant = jobs.tenant)
                 NULLS FIRST,
             job_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING
-- include bulk/jobs/sql/columns.sql
