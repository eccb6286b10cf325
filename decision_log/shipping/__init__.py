"""From the decision log on disk to the record sink, PostgreSQL."""
