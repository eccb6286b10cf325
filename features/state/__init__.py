"""The state of an entity: what it consists of, how it is updated and read."""
