"""Options out of forms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulk.jobs.options import JobOptions
from fraud.errors import InvalidInput
from references.matching.match import Conversion, Match
from serve_app.console.form_options import conversions_of, options_of
from tests.contracts.console_jobs import CENTS, column, good_match, model

UNTOUCHED = {
    **{"models": "3", "model": "", "ignore": "", "recalibrate": "auto", "levels": "probability"},
    **{"high": "0.5", "medium": "0.1", "review": "", "delimiter": "", "decimal": ""},
    **{"encoding": "", "token": "t"},
}


def test_an_untouched_form_says_the_defaults_but_for_the_confirmation() -> None:
    assert options_of(UNTOUCHED) == JobOptions(confirm=False)
    assert options_of({}) == JobOptions(confirm=False)


def test_every_field_is_read() -> None:
    fields = {
        **{"models": "2", "model": "cards@0123, transfers ,", "ignore": "label\r\n old one \r\n\n"},
        **{"high": "0.8", "medium": "0.2", "review": "500", "recalibrate": "never"},
        **{"levels": "probability", "delimiter": "tab", "decimal": ",", "encoding": "utf-16"},
    }
    assert options_of(fields) == JobOptions(
        models=2,
        model=("cards@0123", "transfers"),
        ignore=("label", "old one"),
        high=0.8,
        medium=0.2,
        recalibrate="never",
        confirm=False,
        dialect={"delimiter": "\t", "decimal": ",", "encoding": "utf-16"},
    )


def test_levels_by_rank_ignore_the_thresholds() -> None:
    options = options_of(UNTOUCHED | {"levels": "review", "review": "500", "high": "x"})
    assert (options.review, options.high) == (500, 0.5)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"levels": "review"}, "/review"),
        ({"levels": "review", "review": "-1"}, "/review"),
        ({"models": "six"}, "/models"),
        ({"models": "9"}, "/models"),
        ({"high": "2"}, "/high"),
        ({"high": "0.1", "medium": "0.5"}, ""),
        ({"recalibrate": "always"}, "/recalibrate"),
    ],
)
def test_a_wrong_option_is_named_and_not_repeated(change: dict[str, str], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        options_of(UNTOUCHED | change)
    assert [fault[0] for fault in caught.value.errors] == [pointer]
    assert "six" not in str(caught.value.errors)


def test_conversions_are_those_that_were_proposed() -> None:
    match = good_match()
    assert conversions_of([], match) == {}
    assert conversions_of(["minor-to-major:montant"], match) == {"montant": CENTS.code}
    for wrong in ("minor-to-major:pays", "percent:montant", "montant", ""):
        with pytest.raises(InvalidInput):
            conversions_of([wrong], match)


def test_a_column_is_converted_once() -> None:
    percent = column("share", "montant", proposed=Conversion("percent", 0.01, "is in percent."))
    first = model()
    both = Match((replace(first, columns=(*first.columns, percent)),), (first.reference,))
    with pytest.raises(InvalidInput) as caught:
        conversions_of(["minor-to-major:montant", "percent:montant"], both)
    assert "one change" in caught.value.errors[0][2]
