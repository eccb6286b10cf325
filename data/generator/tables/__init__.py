"""Labelled tables of several families, for references, tests and measurements."""
