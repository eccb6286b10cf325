"""Data sets: labelled history as a feature matrix, and how it is split by time."""
