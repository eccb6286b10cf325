SELECT document::text FROM plans WHERE active
