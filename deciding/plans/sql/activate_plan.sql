-- A plan that is stored already decides again; null if there is none of that name and version.
UPDATE plans SET active = true WHERE name = $1 AND version = $2 RETURNING version
