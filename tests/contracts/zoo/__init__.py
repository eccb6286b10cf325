"""Leaky and innocent sets for the leak guard, half to tune it on, half to judge it by."""
