"""The lenient JSON reader: it keeps numbers as text, so that each can be checked as it was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from serve_app.http.problems import MalformedBody


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as it was written; also NaN and Infinity, which are not JSON."""

    text: str


def read_json(body: bytes) -> Any:
    """Return the body with its numbers as `Number`. The last value of a repeated name wins.

    Raises:
        MalformedBody: not UTF-8, not JSON, or nested too deep.
    """
    try:
        return json.loads(
            body.decode(), parse_float=Number, parse_int=Number, parse_constant=Number
        )
    except UnicodeDecodeError:
        _malformed("not_utf8", "The body is not UTF-8")
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        _malformed("not_json", f"The body is not valid JSON at {place}")
    except RecursionError:
        _malformed("too_deep", "The body is nested too deeply")


def _malformed(code: str, detail: str) -> NoReturn:
    raise MalformedBody(detail, (("", code, detail),)) from None
