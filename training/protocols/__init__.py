"""Evaluation protocols: published benchmarks on public data sets, each run by one command."""
