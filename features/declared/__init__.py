"""Declarations of the features, by what they look at."""
