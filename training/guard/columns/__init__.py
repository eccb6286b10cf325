"""Checks of single columns for leaks of the label."""
