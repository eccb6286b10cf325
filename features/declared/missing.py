"""When features are missing, in words that several families share."""

from __future__ import annotations


def unknown(entity: str) -> str:
    """Of what looks at the state of an entity."""
    unnamed = "" if entity == "customer" else f"the payment names no {entity}, or "
    return f"{unnamed}its history could not be read"
