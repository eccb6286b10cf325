"""Data sets: labelled history as a feature matrix, and its split by time."""
