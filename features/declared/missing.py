"""Reasons for missing features, shared by several families."""

from __future__ import annotations


def unknown(entity: str) -> str:
    """When features from the state of an entity are missing."""
    unnamed = "" if entity == "customer" else f"the payment names no {entity}, or "
    return f"{unnamed}its history could not be read"
