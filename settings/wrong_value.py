"""What pydantic finds wrong with a value, in words of our own: what to write instead."""

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


def wanted(item: Mapping[str, Any]) -> str:
    """What would be right, as a phrase without a subject; never the value.

    Args:
        item: one of `ValidationError.errors()`.
    """
    kind, context = str(item["type"]), item.get("ctx") or {}
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return "has to be there"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "literal_error":
        return f"take {context['expected']}"
    if kind == "string_pattern_mismatch":
        return "take at most 64 letters, digits, dots, underscores and hyphens, no sign first"
    for bound, operator in (("greater", "gt"), ("less", "lt"), ("ge", "ge"), ("le", "le")):
        if operator in context:
            return f"take {_BOUNDS[bound].format(context[operator])}"
    found = _KINDS.get(kind.partition("_")[0])
    return f"take {found}" if found else str(item["msg"])
