"""Combining methods: how the votes of a plan's members become a probability. One method a file."""
