-- The last $2 activations of the owner $1, newest first, each with the document of its plan; NULL
-- where the owner had no plan of its own.
SELECT a.activated_at, p.document
FROM activations AS a
LEFT JOIN plans AS p ON p.owner = a.owner AND p.name = a.name AND p.version = a.version
WHERE a.owner = $1
ORDER BY a.id DESC
LIMIT $2
