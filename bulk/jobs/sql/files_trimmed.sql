UPDATE jobs SET is_trimmed = true WHERE job_id = $1
