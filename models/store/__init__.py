"""Where artifacts lie, in a folder or behind S3, and which one a name means."""
