"""Redis: addresses, one connection for all callers, scripts, and the meaning of errors."""
