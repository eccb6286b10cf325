"""PostgreSQL and Redis: addresses, connections, and the meaning of errors; and the poll loop."""
