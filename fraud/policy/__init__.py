"""Policies: which variants are asked about which rows. One policy a file."""
