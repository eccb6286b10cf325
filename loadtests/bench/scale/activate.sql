-- Activate the plan $1, version $2, document $3. No other plan may be active.
INSERT INTO plans (name, version, document, active)
VALUES ($1, $2, $3, true)
ON CONFLICT (name, version) DO UPDATE SET active = true
