-- Store the document $4 as version $3 of the plan $2 of the owner $1, for author $5 and reason $6.
INSERT INTO plans (owner, name, version, document, author, reason)
VALUES ($1, $2, $3, $4::jsonb, $5, $6)
