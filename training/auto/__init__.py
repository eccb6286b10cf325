"""Training on one labelled file that nobody described: what the file is, and a model of it."""
