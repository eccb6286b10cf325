"""Leaky and innocent data sets for the leak guard: one half to tune it, one half to test it."""
