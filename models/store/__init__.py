"""The artifact store, in a folder or behind S3, and the lookup of artifacts by name."""
