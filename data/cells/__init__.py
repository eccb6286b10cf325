"""Cells of a file as texts, numbers and times."""
