"""Matching the columns of a file to those of reference models, and judging the fit.

columns/   which column of the file is which of a reference, and how close the two are
judging/   how similar the whole is, whether it fits, and how much each model counts
"""
