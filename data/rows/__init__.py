"""Rows of a file as canonical transactions and labels, and why rows are refused."""
