"""Promotion of challengers through gates, and rollback."""
