"""Payments from files and the generator, and how training reads them back."""
