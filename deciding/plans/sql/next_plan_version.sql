SELECT coalesce(max(version), 0) + 1 FROM plans WHERE name = $1
