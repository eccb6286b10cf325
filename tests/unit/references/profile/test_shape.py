"""Shapes of ids."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from references.profile.shape import common_shape, is_naming, shape_of


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("C1231006815", "A1{10}"),
        ("", ""),
        ("a", "A"),
        ("Émile-7", "A{5}-1"),
        ("a_b  9", "A_A  1"),
        ("4.5", "1.1"),
    ],
)
def test_a_shape_shows_letters_digits_and_the_rest(text: str, shape: str) -> None:
    assert shape_of(text) == shape


def test_a_common_shape_tolerates_a_few_others() -> None:
    ids = [f"TX-{i:06d}" for i in range(90)]
    assert common_shape([*ids, *["see note"] * 10]) == "A{2}-1{6}"
    assert common_shape([*ids, *[f"note{'x ' * (i % 9)}" for i in range(60)]]) == ""
    assert common_shape([]) == ""


def test_random_ids_of_letters_and_digits_have_a_shape() -> None:
    rng = np.random.default_rng(1)
    uuids = [str(UUID(bytes=rng.bytes(16))) for _ in range(200)]
    assert common_shape(uuids) == "X{8}-X{4}-X{4}-X{4}-X{12}"
    assert common_shape([rng.bytes(16).hex() for _ in range(200)]) == "X{32}"


def test_words_name_nothing() -> None:
    names = ["Anna Bell", "Carl Dee", "Ed Frank"]
    assert common_shape(names) == "A{2,4} A{3,5}"
    assert not is_naming(common_shape(names))
    assert not is_naming("")
    assert is_naming("A{3}1{1,4}")
    assert is_naming("X{32}")
    assert is_naming("A{3,9}@A{5}.A{3}")
    assert not is_naming("A{1,11}"), "the lengths are no digits of the id"
