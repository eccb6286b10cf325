UPDATE jobs SET has_files = false WHERE job_id = $1
