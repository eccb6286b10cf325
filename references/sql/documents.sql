SELECT digest, document
FROM reference_models
WHERE digest = ANY($1);
