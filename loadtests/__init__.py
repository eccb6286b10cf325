"""Load and benchmarks. Talks HTTP; knows nothing of the house but what goes over the wire."""
