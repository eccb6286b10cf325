"""Rate limits of keys and customers."""
