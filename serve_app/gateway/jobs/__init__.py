"""Jobs of bulk scoring, without HTTP: what a caller may do, and how much at a time."""
