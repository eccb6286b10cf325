-- Leave the owner $1 without an active plan; no row if it has none.
UPDATE plans SET active = false WHERE owner = $1 AND active RETURNING name, version
