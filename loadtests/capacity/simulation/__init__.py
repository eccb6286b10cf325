"""An event-driven simulation of a cluster under load."""
