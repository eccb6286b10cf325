"""Fitting the variants, their calibration and the plan."""
