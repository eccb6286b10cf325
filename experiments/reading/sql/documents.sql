-- Plan documents by digest.
SELECT digest, document::text AS document FROM recorded_plans WHERE digest = ANY($1::text[]);
