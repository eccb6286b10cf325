"""Matching the columns of a file to those of reference models, and judging the fit."""
