"""Processes that do units of work: what the engine asks of them, and those of the command line."""
