"""Metrics, stage times and logs: each name is declared here once.

A new metric takes two files. Declare it in `metrics.py`, and count where it happens:

    metrics.tally.count(metrics.VOTES, 1, variant, status)  # metrics.tally.arm() once a batch
    metrics.PLAN_ERRORS.inc()  # a rare event, at once

A number of the decision log is a field of `metrics.LogStats`, and `stats.dead_letters += 1` there.
"""
