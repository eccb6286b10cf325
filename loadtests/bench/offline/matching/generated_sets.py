"""Members of the generated families of tables: of payments, and of other domains."""

from __future__ import annotations

from collections.abc import Iterator

from data.generator.tables.families import OTHER_DOMAINS, PAYMENTS
from data.generator.tables.family import Family
from data.generator.tables.table import generate_table, member
from loadtests.bench.offline.matching.part import Part

KNOWN = range(2)
"""Members out of which references are made; each names its columns in another way."""
UNKNOWN = range(2, 8)
"""Members that are matched against them."""
_ROWS = 6000


def known_members() -> Iterator[Part]:
    """Yield the members of families of payments that references are made of."""
    for family in PAYMENTS.values():
        yield from (_part(family, number) for number in KNOWN)


def unknown_members() -> Iterator[Part]:
    """Yield other members of the same families."""
    for family in PAYMENTS.values():
        yield from (_part(family, number) for number in UNKNOWN)


def other_members() -> Iterator[Part]:
    """Yield members of families that are not about payments."""
    for family in OTHER_DOMAINS.values():
        yield from (_part(family, number) for number in range(7))


def _part(family: Family, number: int) -> Part:
    made = generate_table(member(family, number, _ROWS))
    table = made.table.drop_columns([made.label])
    return Part(f"{family.name}-{number}", family.name, table, made.is_positive, {})
