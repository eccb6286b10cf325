-- What a key may do (fraud/access/scopes.py). Keys that exist go on doing what every key could until
-- now, and so do keys that the old release creates during a roll-out. The right to change plans is
-- new, so none of them has it.
ALTER TABLE api_keys
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{decide,read,label}',
    ADD CONSTRAINT api_keys_scopes CHECK (
        -- An empty array has no dimension.
        array_ndims(scopes) IS NOT DISTINCT FROM 1
        AND scopes <@ '{decide,read,label,plans,admin}'::text[]
    );
