-- Make version $3 of the plan $2 of the owner $1 active; no row if there is none. No other may be.
UPDATE plans SET active = true WHERE owner = $1 AND name = $2 AND version = $3 RETURNING version
