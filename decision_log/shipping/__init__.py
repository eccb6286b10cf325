"""From the decision log on disk to PostgreSQL."""
