"""Figures of one side, and differences between two with their intervals."""
