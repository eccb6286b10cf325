"""Parameters of addresses. An error names the parameter, and never holds a value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from urllib.parse import unquote

from fraud.errors import SettingInvalid

ENCODE = "write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and % as %25 in a password"


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_HOSTS_AND_QUERY = re.compile(r"[^:@?]*(:\d*)?\?")


def split_address(variable: str, rest: str) -> tuple[str | None, str, str, str]:
    """Return the user and password (None without an @), hosts, path and query of the text after the
    ://, still encoded.

    Raises:
        SettingInvalid: they cannot be distinguished.
    """
    authority, slash, behind = rest.partition("/")
    user: str | None = None
    if "@" in authority and not _HOSTS_AND_QUERY.match(authority):
        # The first @ is before the first ? of the query; a password may hold either.
        first = authority.index("@")
        end = authority.find("?", first)
        last = authority.rindex("@", 0, len(authority) if end < 0 else end)
        user, authority = authority[:last], authority[last + 1 :]
    hosts, question, query = authority.partition("?")
    if question:
        return user, hosts, "", query + slash + behind
    path, _, query = behind.partition("?")
    if user is None and "@" in path:
        raise SettingInvalid(variable, "an @ follows a /", ENCODE)
    return user, hosts, path, query


def host_and_port(variable: str, part: str) -> tuple[str, str]:
    """Return the host and port of `host:port`, `host` or `[::1]:port`; "" for a missing one.

    Raises:
        SettingInvalid: the text has none of these forms.
    """
    if part.startswith("["):
        host, bracket, port = part[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise SettingInvalid(variable, "a host in [ ] is not closed", "write [::1]:port")
        return unquote(host), port[1:]
    host, _, port = part.partition(":")
    if ":" in port:
        raise SettingInvalid(
            variable, "a host has two ports", f"{ENCODE}, and an IPv6 host as [::1]"
        )
    return unquote(host), unquote(port)


def port(variable: str, text: str, default: int) -> int:
    """Return the number of a port.

    Raises:
        SettingInvalid: the text is not a port.
    """
    if not text:
        return default
    try:
        return whole_number(variable, "the port", text, 1, 65535)
    except SettingInvalid as error:
        raise SettingInvalid(variable, error.why, f"{error.hint}; {ENCODE}") from None


def pairs(variable: str, query: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of `a=b&c=d`, percent-decoded.

    Raises:
        SettingInvalid: a part is not of the form `name=value`.
    """
    for part in query.split("&"):
        if not part:
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise SettingInvalid(
                variable, "a parameter after the ? has no value", "write name=value"
            )
        yield unquote(name), unquote(value)


def unknown_parameter(variable: str, name: str, known: Collection[str]) -> SettingInvalid:
    """Return the error for an unknown parameter."""
    shown = name if name.isidentifier() else "a parameter after the ?"
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"leave {shown} out"
    return SettingInvalid(variable, f"{shown} is not a known parameter", hint)


def one_of(variable: str, name: str, value: str, allowed: Collection[str]) -> str:
    """Return `value` if it is allowed.

    Raises:
        SettingInvalid: it is not. The message names the allowed values.
    """
    if value not in allowed:
        raise SettingInvalid(variable, f"{name} has an unknown value", f"use {_listed(allowed)}")
    return value


def whole_number(variable: str, name: str, value: str, least: int, most: int) -> int:
    """Return `value` as a whole number from `least` to `most`.

    Raises:
        SettingInvalid: it is not one.
    """
    # `int` also accepts 1_000 and digits of other scripts.
    if _WHOLE.fullmatch(value.strip()) is None:
        raise SettingInvalid(variable, f"{name} is not a whole number", "write digits only")
    number = int(value)
    if number > most:
        raise SettingInvalid(variable, f"{name} is too large", f"use at most {most}")
    if number < least:
        raise SettingInvalid(variable, f"{name} is too small", f"use at least {least}")
    return number


def is_true(variable: str, name: str, value: str) -> bool:
    """Return whether `value` means yes.

    Raises:
        SettingInvalid: it means neither yes nor no.
    """
    word = value.lower()
    one_of(variable, name, word, (*_YES, *_NO))
    return word in _YES


_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _listed(words: Collection[str]) -> str:
    *head, last = words
    return f"{', '.join(head)} or {last}" if head else last
