"""Which column of a file is which column of a reference, and how close the two are."""
