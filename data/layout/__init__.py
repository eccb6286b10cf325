"""Layouts: which columns of a file make the canonical transaction."""
