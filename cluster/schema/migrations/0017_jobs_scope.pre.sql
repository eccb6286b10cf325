-- The scope `jobs`: score files, read and cancel these jobs. No key that exists has it.
ALTER TABLE api_keys
    DROP CONSTRAINT api_keys_scopes,
    ADD CONSTRAINT api_keys_scopes CHECK (
        -- An empty array has no dimension.
        array_ndims(scopes) IS NOT DISTINCT FROM 1
        AND scopes <@ '{decide,read,label,plans,jobs,admin}'::text[]
    );
