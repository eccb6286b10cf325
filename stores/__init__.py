"""PostgreSQL and Redis, once: how their addresses are read, how a connection is made, and what each
of their errors means."""
