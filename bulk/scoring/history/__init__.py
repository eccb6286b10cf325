"""Models of payments: the history of a file, replayed in the order of time."""
