"""Metrics, stage times and logs: each name is declared here once."""
