"""The commands of `quorum`: one module for each, and `options.py` for what several of them share.

Flat on purpose: `quorum NAME` is `NAME.py`, and `cluster.cli` imports them by that rule.
"""
