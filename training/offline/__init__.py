"""Offline features: the features of a whole file, for training elsewhere."""
