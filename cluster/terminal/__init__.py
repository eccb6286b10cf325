"""Output of the commands: progress, tables, and errors in one line."""
