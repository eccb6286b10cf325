SELECT phase, part, rows, state, attempts FROM job_parts WHERE job_id = $1 ORDER BY phase, part
