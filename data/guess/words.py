"""What the words in names of columns mean, in several languages (`words.toml`)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

GENERAL = 0.3
"""Weight of a word that says little, such as `id`; 1.0 for others."""

_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Words:
    """The declared words.

    Attributes:
        meaning: word -> what it means; words that are not here mean themselves.
        general: meanings that say little.
        empty: words that say nothing.
        anonymous: stems of numbered names that say nothing.
        other_subjects: words of tables about other things than payments.
    """

    meaning: Mapping[str, str]
    general: frozenset[str]
    empty: frozenset[str]
    anonymous: frozenset[str]
    other_subjects: frozenset[str]


@cache
def declared() -> Words:
    """Return the words of `words.toml`.

    Raises:
        ValueError: a word has two meanings.
    """
    table = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
    meaning: dict[str, str] = {}
    for group in (*table["meanings"], *table["general"]):
        for word in group:
            if word in meaning:
                raise ValueError(f"words.toml: {word} is listed twice")
            meaning[word] = group[0]
    general = frozenset(group[0] for group in table["general"])
    sets = (frozenset(table[key]) for key in ("empty", "anonymous", "other_subjects"))
    return Words(meaning, general, *sets)


def without_accents(text: str) -> str:
    """Return a text without the accents and other marks of its letters.

    >>> without_accents("prélèvement français")
    'prelevement francais'
    """
    parts = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


@lru_cache(maxsize=100_000)
def meanings(plain: str) -> tuple[tuple[str, float], ...]:
    """Return what a normalised name means: (meaning, weight in (0, 1]), each once, in its order.

    >>> meanings("montant_transaction")
    (('amount', 1.0), ('transaction', 0.3))
    >>> meanings("tx_amount")
    (('transaction', 0.3), ('amount', 1.0))
    """
    words = declared()
    found: dict[str, float] = {}
    for word in _split(plain):
        meaning = words.meaning.get(word) or words.meaning.get(word.removesuffix("s"), word)
        if word not in words.empty:
            found[meaning] = GENERAL if meaning in words.general else 1.0
    return tuple(found.items())


def other_subjects(plain: str) -> frozenset[str]:
    """Return the words of a normalised name that belong to tables about other things.

    >>> sorted(other_subjects("policy_claim_amount"))
    ['claim', 'policy']
    """
    return declared().other_subjects & frozenset(_split(plain))


def in_english(plain: str) -> str:
    """Return a normalised name with each word replaced by its meaning. Plurals that are not listed
    stay: `purchases` is a count, not the name of a purchase.

    >>> in_english("horodatage"), in_english("numerocarte")
    ('time', 'number_card')
    """
    words = declared()
    said = (word for word in _split(plain) if word not in words.empty)
    return "_".join(dict.fromkeys(words.meaning.get(word, word) for word in said))


@lru_cache(maxsize=100_000)
def numbered(plain: str) -> tuple[str, int] | None:
    """Return stem and number of a normalised name that says nothing, such as `v12`; None of other
    names.

    >>> numbered("v12"), numbered("feature_3"), numbered("bill_amt1"), numbered("17")
    (('v', 12), ('feature', 3), None, ('', 17))
    """
    found = re.fullmatch(r"([a-z_]*?)_*(\d{1,5})", plain)
    if found is None:
        return None
    stem, number = found.groups()
    known = not stem or stem in declared().anonymous
    return (stem, int(number)) if known else None


def _split(plain: str) -> list[str]:
    """Words of a normalised name. Digits are words; words written together are taken apart."""
    known = declared().meaning
    found: list[str] = []
    for word in re.findall(r"[a-z]+|\d+", plain):
        if word in known or word.isdigit() or (parts := _apart(word)) is None:
            found.append(word)
        else:
            found += parts
    return found


@lru_cache(maxsize=100_000)
def _apart(word: str) -> tuple[str, ...] | None:
    """Known words that make up a word, the longest first; None if there are none."""
    known = declared().meaning
    for end in range(len(word) - 2, _SHORTEST - 1, -1):
        head, tail = word[:end], word[end:]
        if head not in known:
            continue
        if tail in known:
            return (head, tail)
        if len(tail) > _SHORTEST and (rest := _apart(tail)) is not None:
            return (head, *rest)
    return None
