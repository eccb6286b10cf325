"""From a micro-batch to recorded decisions: features, votes, combination, reasons. No Ray."""
