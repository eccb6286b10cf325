"""Results of commands as tables: a module for each command, or for the thing it is about."""
