"""Which model serves: challengers, gates, promotion and rollback."""
