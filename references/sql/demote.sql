UPDATE reference_models
SET alias = ''
WHERE owner = $1 AND name = $2 AND alias = 'champion' AND version <> $3;
