SELECT name, version, document ->> 'kind' AS kind, created_at FROM plans WHERE active
