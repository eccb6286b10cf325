-- Whoever may send payments, and $1, whom the command line works for.
SELECT DISTINCT k.tenant FROM api_keys AS k
UNION
SELECT $1::text
ORDER BY 1;
