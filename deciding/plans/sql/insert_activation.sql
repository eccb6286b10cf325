-- Record that version $3 of the plan $2 decides for the owner $1 from now on (NULL: none of its
-- own), by author $4 for reason $5; $6 whether by itself; $7 and $8 what decided before.
INSERT INTO activations
    (owner, name, version, author, reason, automatic, previous_name, previous_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING activated_at
