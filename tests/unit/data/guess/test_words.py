"""The meaning of words in names of columns."""

from __future__ import annotations

import pytest

from data.guess.words import (
    declared,
    in_english,
    meanings,
    numbered,
    other_subjects,
    without_accents,
)


@pytest.mark.parametrize(
    ("french", "english"),
    [
        ("montant", "amount"),
        ("commercant", "merchant"),
        ("horodatage", "time"),
        ("carte", "card"),
        ("devise", "currency"),
        ("pays", "country"),
        ("datetransaction", "time_transaction"),
        ("numero_de_carte", "number_card"),
    ],
)
def test_french_words_have_english_meanings(french: str, english: str) -> None:
    assert in_english(french) == english


def test_words_that_say_little_weigh_less_than_others() -> None:
    assert dict(meanings("transaction_amount")) == {"transaction": 0.3, "amount": 1.0}


def test_an_unknown_word_means_itself() -> None:
    assert in_english("zorblax") == "zorblax"


def test_a_plural_means_the_same_to_a_match_and_is_no_name_of_one() -> None:
    assert dict(meanings("purchases")) == {"transaction": 0.3}
    assert in_english("purchases") == "purchases"


def test_no_word_has_two_meanings() -> None:
    words = declared()
    assert words.general <= set(words.meaning.values())
    assert not words.empty & words.meaning.keys()


@pytest.mark.parametrize("name", ["bill_amt1", "card_2", "amount"])
def test_names_that_say_something_are_not_numbered(name: str) -> None:
    assert numbered(name) is None


@pytest.mark.parametrize(
    ("name", "stem"), [("v7", "v"), ("composante_7", "composante"), ("x07", "x")]
)
def test_names_that_say_nothing_have_a_stem_and_a_number(name: str, stem: str) -> None:
    assert numbered(name) == (stem, 7)


def test_words_of_other_subjects() -> None:
    assert other_subjects("total_claim_amount") == {"claim"}
    assert other_subjects("transaction_amount") == frozenset()


def test_accents_are_taken_from_letters_and_letters_stay() -> None:
    assert without_accents("prélèvement français ß ø") == "prelevement francais ß ø"
