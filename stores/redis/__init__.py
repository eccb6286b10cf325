"""Redis: addresses, one connection for all who ask, scripts, and the meaning of errors."""
