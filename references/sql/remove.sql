DELETE FROM reference_models
WHERE owner = $1 AND name = $2 AND ($3 = '' OR version = $3)
RETURNING digest, alias;
