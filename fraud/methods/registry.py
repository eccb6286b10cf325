"""Every combining method that a plan may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fraud.methods.interface import CombiningMethod
from fraud.methods.mean import Mean
from fraud.methods.stack import Stack

METHODS: dict[str, type[CombiningMethod]] = {
    Mean.name: Mean,
    Stack.name: Stack,
}
"""Name in a plan's document -> method."""


def document_of(method: CombiningMethod) -> dict[str, Any]:
    """Return a method's part of a plan's document, JSON-ready: its name and its parameters.

    >>> document_of(Stack(-0.5))
    {'combiner': 'stack', 'intercept': -0.5}
    """
    return {"combiner": method.name, **asdict(method)}


def method_of(document: Mapping[str, Any]) -> CombiningMethod:
    """Invert `document_of`. Plans of the first release do not name their method: a mean.

    Raises:
        ValueError: no method has that name, or a parameter is out of range.
        TypeError: the method has no such parameter.
    """
    parameters = dict(document)
    name = parameters.pop("combiner", Mean.name)
    if name not in METHODS:
        raise ValueError(f"combiner must be one of {', '.join(METHODS)}")
    return METHODS[name](**parameters)
