"""The shape of texts that name things: ids, card numbers, addresses of computers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_COMMON = 0.8
"""Share of texts that must have one shape."""
_MOST_RUNS = 12
_LETTER, _DIGIT, _EITHER = "A", "1", "X"
_FINE = re.compile(r"(?P<A>[^\W\d_]+)|(?P<one>\d+)|(?P<other>.)", re.DOTALL)
_COARSE = re.compile(r"(?P<A>[^\W_]+)|(?P<other>.)", re.DOTALL)

Runs = tuple[tuple[str, int], ...]


def shape_of(text: str) -> str:
    """Return the shape of one text: A for a letter, 1 for a digit, {n} for n of them.

    >>> shape_of("C1231006815"), shape_of("a-7")
    ('A1{10}', 'A-1')
    """
    return "".join(_written(kind, length, length) for kind, length in _runs(text, _FINE))


def common_shape(texts: Sequence[str]) -> str:
    """Return the shape that at least 80 % of the texts have, with the least and largest number of
    letters or digits; "" if there is none. X stands for a letter or a digit, where these alternate
    without order, as in hexadecimal numbers.

    >>> common_shape(["C12", "C345", "C9"])
    'A1{1,3}'
    >>> common_shape(["9f3a", "07bc", "a1b2", "f3ff"])
    'X{4}'
    """
    if not texts:
        return ""
    for expression in (_FINE, _COARSE):
        found = _shape(texts, expression)
        if found:
            return found
    return ""


def is_naming(shape: str) -> bool:
    """Whether texts of a shape name things rather than say something: they hold digits, or an @."""
    bare = re.sub(r"\{[^}]*\}", "", shape)
    return any(mark in bare for mark in (_DIGIT, _EITHER, "@"))


def _shape(texts: Sequence[str], expression: re.Pattern[str]) -> str:
    runs = [_runs(text, expression) for text in texts]
    counted = Counter(tuple(kind for kind, _ in run) for run in runs)
    kinds, times = counted.most_common(1)[0]
    if times < _COMMON * len(texts) or len(kinds) > _MOST_RUNS or not kinds:
        return ""
    lengths = [run for run in runs if tuple(kind for kind, _ in run) == kinds]
    spans = [[run[i][1] for run in lengths] for i in range(len(kinds))]
    if expression is _COARSE and not _hold_digits(texts):
        return ""
    return "".join(_written(k, min(s), max(s)) for k, s in zip(kinds, spans, strict=True))


def _hold_digits(texts: Sequence[str]) -> bool:
    """Words of letters alone are no ids; of random hexadecimal ids nearly all hold a digit."""
    holding = sum(any(letter.isdigit() for letter in text) for text in texts)
    return holding >= _COMMON * len(texts)


def _runs(text: str, expression: re.Pattern[str]) -> Runs:
    return tuple(_run(found) for found in expression.finditer(text))


def _run(found: re.Match[str]) -> tuple[str, int]:
    if found.lastgroup == "other":
        return found[0], 1
    if found.re is _COARSE:
        return _EITHER, len(found[0])
    return (_LETTER if found.lastgroup == "A" else _DIGIT), len(found[0])


def _written(kind: str, least: int, most: int) -> str:
    if most == 1:
        return kind
    return f"{kind}{{{most}}}" if least == most else f"{kind}{{{least},{most}}}"
