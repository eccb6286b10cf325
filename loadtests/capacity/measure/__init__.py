"""Small programs that measure the constants of the capacity model."""
