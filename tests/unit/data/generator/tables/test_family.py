"""What families draw with, and how they name columns."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data.generator.tables.family import (
    CATEGORY,
    Drawn,
    Family,
    Field,
    chosen,
    codes,
    hour_of,
    is_night,
)


def test_names_follow_the_style() -> None:
    field = Field("mcc", CATEGORY, "merchant_category", "code_mcc", "mcc")
    family = Family(
        "f", "", "payments", (field,), ("is_fraud", "fraude", "frd"), 0.1,
        lambda at_s, rng, habits: Drawn({}, at_s),
    )  # fmt: skip
    names = {style: field.name(style) for style in ("english", "french", "short")}
    assert names == {"english": "merchant_category", "french": "code_mcc", "short": "mcc"}
    labels = [family.label_name(style) for style in ("english", "french", "short")]
    assert labels == ["is_fraud", "fraude", "frd"]


def test_texts_are_drawn_by_their_weights() -> None:
    counts = Counter(chosen(np.random.default_rng(0), 10_000, {"a": 6.0, "b": 2.0, "c": 0.0}))
    assert set(counts) == {"a", "b"}
    assert counts["a"] / 10_000 == pytest.approx(0.75, abs=0.02)


def test_night_is_from_eleven_to_five() -> None:
    hours = np.array([22.99, 23.0, 0.0, 4.99, 5.0, 12.0])
    at_s = 86_400 * 19_000 + hours * 3600
    assert hour_of(at_s) == pytest.approx(hours)
    assert is_night(at_s).tolist() == [False, True, True, True, False, False]


def test_codes_have_their_prefix_and_all_their_digits() -> None:
    found = codes("TR", 11, np.random.default_rng(0), 5_000)
    assert {len(code) for code in found} == {13}
    assert all(code.startswith("TR") and code[2:].isdigit() for code in found)
    assert len(set(found)) > 4_990
