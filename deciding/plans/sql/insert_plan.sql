-- Store the document $3 as version $2 of the plan $1, active. No other may be active.
INSERT INTO plans (name, version, document, active) VALUES ($1, $2, $3::jsonb, true)
