-- The tenants that may send payments, and $1, the tenant of the command line.
SELECT DISTINCT k.tenant FROM api_keys AS k
UNION
SELECT $1::text
ORDER BY 1;
