"""The state of an entity: what it is built from, how it is updated and read."""
