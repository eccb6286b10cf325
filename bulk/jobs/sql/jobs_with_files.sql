SELECT job_id FROM jobs WHERE storage = $1 AND has_files
