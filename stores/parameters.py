"""Parameters of an address, each named where it cannot be taken. No message holds a value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from urllib.parse import unquote

from fraud.errors import SettingInvalid

ENCODE = "write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and % as %25 in a password"


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_HOSTS_AND_QUERY = re.compile(r"[^:@?]*(:\d*)?\?")


def cut(variable: str, rest: str) -> tuple[str | None, str, str, str]:
    """User and password (None without an @), hosts, path and query of what is behind the ://, still
    encoded.

    Raises:
        SettingInvalid: they cannot be told apart.
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
        raise SettingInvalid(variable, "an @ comes behind a /", ENCODE)
    return user, hosts, path, query


def host_and_port(variable: str, part: str) -> tuple[str, str]:
    """Host and port of `host:port`, `host`, `[::1]:port`; "" for what is not there.

    Raises:
        SettingInvalid: it is none of them.
    """
    if part.startswith("["):
        host, bracket, port = part[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise SettingInvalid(variable, "a host in [ ] has no end", "write [::1]:port")
        return unquote(host), port[1:]
    host, _, port = part.partition(":")
    if ":" in port:
        raise SettingInvalid(
            variable, "a host has two ports", f"{ENCODE}, and an IPv6 host as [::1]"
        )
    return unquote(host), unquote(port)


def port(variable: str, text: str, default: int) -> int:
    """A port's number.

    Raises:
        SettingInvalid: it is none.
    """
    if not text:
        return default
    try:
        return whole(variable, "the port", text, 1, 65535)
    except SettingInvalid as error:
        raise SettingInvalid(variable, error.why, f"{error.hint}; {ENCODE}") from None


def pairs(variable: str, query: str) -> Iterator[tuple[str, str]]:
    """Names and values of `a=b&c=d`, percent-decoded.

    Raises:
        SettingInvalid: a part is not of the form `name=value`.
    """
    for part in query.split("&"):
        if not part:
            continue
        name, equals, value = part.partition("=")
        if not equals:
            raise SettingInvalid(
                variable, "a parameter behind the ? has no value", "write name=value"
            )
        yield unquote(name), unquote(value)


def unknown(variable: str, name: str, known: Collection[str]) -> SettingInvalid:
    """The error for a parameter that nobody knows."""
    shown = name if name.isidentifier() else "a parameter behind the ?"
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"leave {shown} out"
    return SettingInvalid(variable, f"{shown} is not a parameter that is known here", hint)


def one_of(variable: str, name: str, value: str, allowed: Collection[str]) -> str:
    """`value`, if it is allowed.

    Raises:
        SettingInvalid: it is not; the message names the allowed ones.
    """
    if value not in allowed:
        raise SettingInvalid(variable, f"{name} has a wrong value", f"take {_listed(allowed)}")
    return value


def whole(variable: str, name: str, value: str, least: int, most: int) -> int:
    """`value` as a whole number from `least` to `most`.

    Raises:
        SettingInvalid: it is none.
    """
    # `int` takes 1_000 and digits of other scripts, too.
    if _WHOLE.fullmatch(value.strip()) is None:
        raise SettingInvalid(variable, f"{name} is not a whole number", "write digits alone")
    number = int(value)
    if number > most:
        raise SettingInvalid(variable, f"{name} is too large", f"take {most} at most")
    if number < least:
        raise SettingInvalid(variable, f"{name} is too small", f"take {least} or more")
    return number


def is_true(variable: str, name: str, value: str) -> bool:
    """`value` as yes or no.

    Raises:
        SettingInvalid: it is neither.
    """
    word = value.lower()
    one_of(variable, name, word, (*_YES, *_NO))
    return word in _YES


_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _listed(words: Collection[str]) -> str:
    *head, last = words
    return f"{', '.join(head)} or {last}" if head else last
