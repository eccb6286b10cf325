"""The benchmark: Quorum beside apps that do the same work. See docs/benchmarks.md."""
