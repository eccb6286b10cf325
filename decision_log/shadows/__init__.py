"""What shadows would have decided, on its way to PostgreSQL. Not durable before it is there: no
answer depends on it."""
