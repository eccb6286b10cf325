"""Options of a job as a caller sent them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bulk.jobs.options import JobOptions
from fraud.errors import InvalidInput
from settings.error_text import expected

POINTER = "/options"
_MAX_FAULTS = 100
_MAX_NAME_CHARS = 64
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""In JSON, where a backslash is written as two."""


def read_options(
    document: Mapping[str, Any], pointer: str = POINTER, *, strict: bool = True
) -> JobOptions:
    """Return options.

    Args:
        document: name -> value, as JSON has it.
        pointer: of the document in what the caller sent.
        strict: values have their types; else texts of numbers and of truth are as good.

    Raises:
        InvalidInput: an option is unknown or wrong; names every fault, never a value.
    """
    text = json.dumps(document)
    if _NUL.search(text):
        # PostgreSQL has no such character.
        fault = (pointer, "invalid", "Invalid options: expected texts without U+0000")
        raise InvalidInput("the options cannot be used", (fault,))
    try:
        # As JSON, which pydantic reads strictly: neither `true` nor "3" is a number.
        return JobOptions.model_validate_json(text, strict=strict)
    except ValidationError as error:
        faults = tuple(_fault(item, pointer) for item in error.errors()[:_MAX_FAULTS])
        raise InvalidInput("the options cannot be used", faults) from None


def changed_options(options: JobOptions, changes: Mapping[str, Any]) -> JobOptions:
    """Return options with some of them replaced.

    Raises:
        InvalidInput: see `read_options`.
    """
    return read_options({**options.model_dump(mode="json"), **changes}) if changes else options


def _fault(item: Any, pointer: str) -> tuple[str, str, str]:
    names = [str(part) for part in item["loc"]]
    if item["type"] == "extra_forbidden":
        known = ", ".join(JobOptions.model_fields)
        # A name may be a value in the wrong place: only one that looks like a name is repeated.
        place = _pointer(pointer, names) if names[-1].isidentifier() else pointer
        return place, "unknown_field", f"Unknown option: expected one of {known}"
    if not names:
        return pointer, "invalid", f"Invalid options: {expected(item)}"
    detail = f"Invalid value for `{names[0]}`: {expected(item)}"
    # Deeper places are names of the caller's columns.
    return _pointer(pointer, names[:1]), "invalid", detail


def _pointer(pointer: str, names: list[str]) -> str:
    escaped = (name[:_MAX_NAME_CHARS].replace("~", "~0").replace("/", "~1") for name in names)
    return "/".join((pointer, *escaped))
