"""PostgreSQL: addresses, connections, pools, locks, and the meaning of errors."""
