"""Plans as files that a person reads and writes, and as pictures."""
