"""Data -> point-in-time features -> fitted, calibrated, judged and registered artifacts."""
