"""One Ray node: what it needs, how it starts and stops."""
