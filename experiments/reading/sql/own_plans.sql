-- Documents of tenant $1's own plans named $2.
SELECT document::text AS document FROM plans WHERE owner = $1 AND name = $2;
