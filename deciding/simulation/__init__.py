"""Simulation: what recorded decisions would have been under another plan."""
