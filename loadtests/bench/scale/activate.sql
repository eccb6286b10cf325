-- Let the plan $1, version $2, document $3 decide; none may be active.
INSERT INTO plans (name, version, document, active)
VALUES ($1, $2, $3, true)
ON CONFLICT (name, version) DO UPDATE SET active = true
