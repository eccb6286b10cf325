"""Texts of drivers and libraries without passwords, which they may quote."""

from __future__ import annotations

import re

_LOGIN = re.compile(r"(?<=://)[^\s'\"]*@")
_NAMED = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token)(\s*[=:]\s*)(?:'[^']*'|[^\s&,;'\")]+)"
)


def redacted(text: str) -> str:
    """Return `text` with `***` in place of the user and password of every address in it."""
    return _NAMED.sub(r"\1\2***", _LOGIN.sub("***@", text))
