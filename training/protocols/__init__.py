"""Published protocols on public data sets: the same rows, the same figures, one command each."""
