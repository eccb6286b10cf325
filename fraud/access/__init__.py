"""API keys and the tiers of their rate limits."""
