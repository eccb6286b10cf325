"""Plans: their table in PostgreSQL, the active one in memory, and its copy on disk."""
