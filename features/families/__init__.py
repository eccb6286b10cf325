"""Families of features: one pure function each."""
