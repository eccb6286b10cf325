"""Scoring with an artifact: checked, warmed up, exchanged while it serves."""
