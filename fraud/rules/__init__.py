"""Rules that decide when no model answers."""
