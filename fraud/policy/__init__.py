"""Policies: which variants are asked about which rows, and which ensemble decides each row. One
policy a file; `fraud.ensemble.Ensemble` is the one without sub-policies."""
