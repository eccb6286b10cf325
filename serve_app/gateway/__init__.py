"""The gateway: who may ask, how much, and which requests travel together. It knows no HTTP."""
