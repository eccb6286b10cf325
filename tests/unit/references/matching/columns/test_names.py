"""How alike names are."""

from __future__ import annotations

import pytest

from references.matching.columns.names import NEUTRAL, is_anonymous, name_scores


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TX_AMOUNT", "montant"),
        ("merch_lat", "latitude_marchand"),
        ("oldbalanceOrg", "solde_avant_emetteur"),
        ("cc_num", "numero_carte"),
        ("currency", "devise"),
    ],
)
def test_the_same_meaning_scores_high(one: str, other: str) -> None:
    assert name_scores([one], [other])[0, 0] >= 0.75


@pytest.mark.parametrize(("one", "other"), [("merch_lat", "merch_long"), ("amount", "age")])
def test_other_meanings_score_low(one: str, other: str) -> None:
    assert name_scores([one], [other])[0, 0] < 0.75


def test_a_name_that_says_nothing_is_neutral() -> None:
    assert is_anonymous("V1")
    assert name_scores(["V1"], ["amount"])[0, 0] == NEUTRAL


def test_numbered_families_match_by_rank_if_they_have_one_size() -> None:
    scores = name_scores(["V1", "V2", "V3"], ["pc_5", "pc_6", "pc_7"])
    assert scores.diagonal().tolist() == [1.0, 1.0, 1.0]
    assert scores[0, 1] == NEUTRAL
    assert name_scores(["V1", "V2"], ["pc_1", "pc_2", "pc_3"])[0, 0] == NEUTRAL


def test_no_names_make_no_scores() -> None:
    assert name_scores([], ["a"]).shape == (0, 1)
