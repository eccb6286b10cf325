-- Make version $2 of the plan $1 the active one; no row if there is none. No other may be active.
UPDATE plans SET active = true WHERE name = $1 AND version = $2 RETURNING version
