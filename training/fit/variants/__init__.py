"""One model family a file: each fits on a `Sample` and returns a `Fitted`."""
