"""How votes become a probability, an outcome and reasons. Pure numpy, one noun a file."""
