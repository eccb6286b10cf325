"""Served decisions compared with training: drift and skew."""
