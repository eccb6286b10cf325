-- The last $2 activations of the owner $1, newest first.
SELECT owner, name, version, activated_at, author, reason, automatic,
       previous_name, previous_version
FROM activations
WHERE owner = $1
ORDER BY id DESC
LIMIT $2
