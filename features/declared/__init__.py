"""Declarations of the features, by topic."""
