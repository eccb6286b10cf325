"""References to begin with: small models of public and generated sets."""
