"""Members of generated families."""

from __future__ import annotations

from loadtests.bench.offline.matching.generated_sets import (
    known_members,
    other_members,
    unknown_members,
)


def test_members_of_a_family_are_known_or_unknown_but_not_both() -> None:
    known, unknown = (list(members()) for members in (known_members, unknown_members))
    assert {part.family for part in known} == {part.family for part in unknown}
    assert not {part.name for part in known} & {part.name for part in unknown}
    assert not {part.family for part in other_members()} & {part.family for part in known}
    assert all(part.label.any() and len(part.label) == part.table.num_rows for part in known)
