INSERT INTO plans (name, version, document, active) VALUES ($1, $2, $3::jsonb, true)
