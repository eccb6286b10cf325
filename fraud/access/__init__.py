"""API keys: their form, what they may do (scopes), and their rate limits (tiers)."""
