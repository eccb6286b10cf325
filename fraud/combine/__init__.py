"""How votes become a probability, an outcome and a risk score. Pure numpy."""
