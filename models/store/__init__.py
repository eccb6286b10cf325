"""Where model files lie, on this machine or behind S3, and which one a name means."""
