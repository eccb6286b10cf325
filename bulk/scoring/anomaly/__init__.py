"""How unusual rows are, without labels: an isolation forest of the file itself."""
