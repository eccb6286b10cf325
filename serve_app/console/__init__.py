"""The console: pages for people, of which `/console/score` is the first."""
