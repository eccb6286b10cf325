-- The active plan of each owner that differs from the one last read, with its document; name NULL
-- where an owner has none any more. $1 owners and $2 revisions are what was read last: as long as
-- nothing changes, no row comes back and no document is touched.
SELECT owner, plans.name, plans.version, plans.revision, plans.document
FROM (
    SELECT owner, name, version, document,
           -- xmin changes with every write of the row; the time tells servers apart
           concat_ws(' ', name, version, created_at, xmin) AS revision
    FROM plans
    WHERE active
) AS plans
FULL JOIN unnest($1::text[], $2::text[]) AS known (owner, revision) USING (owner)
WHERE plans.revision IS DISTINCT FROM known.revision
