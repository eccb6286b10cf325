"""Pydantic's errors in our own words: what was expected in place of a wrong value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "a text",
    "bool": "true or false",
    "dict": "a section",
    "model": "a section",
    "tuple": "a list",
    "list": "a list",
    "path": "a path",
}
_BOUNDS = {
    "ge": "{} or more",
    "greater": "more than {}",
    "le": "{} or less",
    "less": "less than {}",
}


def expected(item: Mapping[str, Any]) -> str:
    """Return what was expected, as a phrase without a subject and without the value.

    Args:
        item: one of `ValidationError.errors()`.

    >>> expected({"type": "int_parsing", "msg": ""})
    'expected a whole number'
    """
    kind, context = str(item["type"]), item.get("ctx") or {}
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return "required, but missing"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "literal_error":
        return f"expected {context['expected']}"
    if kind == "string_pattern_mismatch":
        return "expected up to 64 letters, digits, dots, dashes or underscores, no symbol first"
    for bound, operator in (("greater", "gt"), ("less", "lt"), ("ge", "ge"), ("le", "le")):
        if operator in context:
            return f"expected {_BOUNDS[bound].format(context[operator])}"
    found = _KINDS.get(kind.partition("_")[0])
    return f"expected {found}" if found else str(item["msg"])
