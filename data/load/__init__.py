"""Loading files: into PostgreSQL, or batch by batch without a database."""
