"""Measurements without a running Quorum, one a file: `python -m loadtests.bench.offline.NAME`."""
