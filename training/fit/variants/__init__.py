"""The model families, one for each file: each fits on a `Sample` and returns a `Fitted`."""
