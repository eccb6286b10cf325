"""Readers of the decisions on record."""
