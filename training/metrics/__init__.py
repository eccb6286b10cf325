"""Figures of scores against labels, with their uncertainty."""
