"""Training: data -> point-in-time features -> fitted, calibrated, evaluated, registered models."""
