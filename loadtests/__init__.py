"""Load tests and benchmarks of a running Quorum, over HTTP."""
