"""The families of features: one pure function each."""
