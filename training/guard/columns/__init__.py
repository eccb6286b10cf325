"""Checks of single columns for what gives the label away."""
