"""The way of a micro-batch from features to decisions on record. Knows no Ray."""
