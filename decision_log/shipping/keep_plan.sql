-- Keep a plan's document ($2) under its digest ($1).
INSERT INTO recorded_plans (digest, document) VALUES ($1, $2::text::jsonb) ON CONFLICT DO NOTHING
