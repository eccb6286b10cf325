"""Reasons: why a decision is not `approve`, in words."""
