"""Models: the artifact format, the artifact store, and scoring."""
