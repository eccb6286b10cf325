"""Every combining method that a plan may name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, fields
from typing import Any

from fraud.document import RANGE, Place
from fraud.methods.interface import CombiningMethod
from fraud.methods.majority import Majority
from fraud.methods.maximum import Maximum
from fraud.methods.mean import Mean
from fraud.methods.rank import RankAverage
from fraud.methods.stack import Stack

METHODS: dict[str, type[CombiningMethod]] = {
    method.name: method for method in (Mean, Stack, RankAverage, Maximum, Majority)
}
"""Name in a plan's document -> method."""


def document_of(method: CombiningMethod) -> dict[str, Any]:
    """Return a method's part of a plan's document, JSON-ready: its name and its parameters.

    >>> document_of(Stack(-0.5))
    {'combiner': 'stack', 'intercept': -0.5}
    """
    return {"combiner": method.name, **asdict(method)}


def method_at(place: Place, others: Collection[str]) -> CombiningMethod:
    """Invert `document_of`; note faults, and return a mean then.

    Args:
        place: holds the method's name as `combiner`, and its parameters beside it. Plans of the
            first release do not name their method: a mean.
        others: keys at that place that are not the method's.
    """
    name = place.choice("combiner", METHODS) if place.has("combiner") else Mean.name
    if name is None:
        return Mean()
    method = METHODS[name]
    numbers = [f.name for f in fields(method)]
    place.only((*others, "combiner", *numbers))
    given = {n: place.number(n, -1e9, 1e9) for n in numbers if place.has(n)}
    try:
        return method(**given)
    except ValueError as error:
        place.note(RANGE, str(error))
        return Mean()
