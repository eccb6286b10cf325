"""Scoring with an artifact: verified, warmed up, replaced while it serves."""
