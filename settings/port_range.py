"""A range of TCP ports that Quorum may use."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

_LOWEST, _HIGHEST = 1024, 65_535
_RAY_FIRST, _RAY_LAST = 10_002, 19_999
_FORM = re.compile(r"(\d{1,5})\s*-\s*(\d{1,5})", re.ASCII)


class Ports(NamedTuple):
    """The ports from `first` to `last`, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


def port_range(value: Any) -> Any:
    """Read a range such as `20000-20999`.

    Raises:
        ValueError: it has another form, goes beyond 1024-65535, or holds ports of Ray's workers.
    """
    match = _FORM.fullmatch(str(value).strip())
    if match is None:
        raise ValueError("expected a range of ports, such as 20000-20999")
    ports = Ports(int(match[1]), int(match[2]))
    if not _LOWEST <= ports.first <= ports.last <= _HIGHEST:
        raise ValueError(f"expected first-last within {_LOWEST}-{_HIGHEST}")
    if ports.first <= _RAY_LAST and ports.last >= _RAY_FIRST:
        raise ValueError(f"expected no port of {_RAY_FIRST}-{_RAY_LAST}, which are Ray's")
    return ports


# The settings would read a tuple as JSON.
PortRange = Annotated[Ports, NoDecode, BeforeValidator(port_range)]
