"""Payments and labels read back from PostgreSQL in order."""
