"""A layout guessed from a file: a draft to start from, which loads."""
