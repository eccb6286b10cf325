"""Fitting a combining method to votes and labels. One method a file."""
