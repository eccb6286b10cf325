"""The profile of a column, and its document."""

from __future__ import annotations

import json

import pytest

from references.profile.column import QUANTILES, ColumnKind, ColumnProfile

NUMBER = ColumnProfile(
    "amount", ColumnKind.NUMBER, 100, 75, 60, tuple(float(i) for i in range(QUANTILES)), 9.5, 3.25,
    whole=True, scale="minor",
)  # fmt: skip
CATEGORY = ColumnProfile(
    "channel", ColumnKind.CATEGORY, 10, 10, 2, categories=(("pos", 0.7), ("atm", 0.3))
)


def test_the_share_without_a_value() -> None:
    assert NUMBER.null_rate == 0.25
    assert CATEGORY.null_rate == 0
    assert ColumnProfile("none", ColumnKind.EMPTY, 0, 0).null_rate == 0


@pytest.mark.parametrize("profile", [NUMBER, CATEGORY], ids=lambda profile: profile.name)
def test_a_profile_comes_back_out_of_json(profile: ColumnProfile) -> None:
    document = json.loads(json.dumps(profile.to_document()))
    assert document["kind"] == profile.kind.value
    assert ColumnProfile.from_document(document) == profile


def test_what_is_left_out_of_a_document_is_empty() -> None:
    document = {"name": "x", "kind": "text", "rows": 3, "filled": 2}
    assert ColumnProfile.from_document(document) == ColumnProfile("x", ColumnKind.TEXT, 3, 2)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kind": "colour"}, ValueError),
        ({"quantiles": ["low"]}, ValueError),
        ({"another": 1}, TypeError),
    ],
)
def test_another_document_is_no_profile(change: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        ColumnProfile.from_document({**NUMBER.to_document(), **change})
    with pytest.raises(KeyError):
        ColumnProfile.from_document({"name": "x", "rows": 1, "filled": 1})
