"""Features: what a model sees of a payment, the same in training and serving."""
