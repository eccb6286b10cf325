"""Bulk scoring on the command line: a file scored in this process, without Ray."""
