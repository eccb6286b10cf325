"""The label of a file is chosen, or refused with the option that settles it."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest

from data.guess.column import Column
from training.auto.label_choice import WantedLabel, choose_label, label_meaning
from training.auto.unclear import Unclear


def columns(**values: list[str | None]) -> list[Column]:
    return [Column(name, pa.array(cells, pa.string())) for name, cells in values.items()]


YES_NO = ["No", "No", "Yes", "No"]
BITS = ["0", "0", "1", "0"]


@pytest.mark.parametrize(
    "name", ["is_fraud", "Class", "fraude", "est_frauduleux", "TX_FRAUD", "frd_flag", "target"]
)
def test_a_column_named_like_a_label_is_chosen_wherever_it_is(name: str) -> None:
    for order in (("amount", name, "country"), (name, "amount", "country")):
        cells = {"amount": ["3", "4", "5", "6"], "country": ["FR", "DE", "FR", "FR"], name: BITS}
        assert choose_label(columns(**{n: cells[n] for n in order}), None).column.name == name


def test_a_name_that_says_fraud_wins_over_one_that_says_label() -> None:
    found = choose_label(columns(status=YES_NO, target=BITS, is_fraud=BITS), None)
    assert found.column.name == "is_fraud"


def test_several_candidates_are_refused_and_named() -> None:
    with pytest.raises(Unclear, match="is_fraud, chargeback") as refused:
        choose_label(columns(is_fraud=BITS, chargeback=BITS), None)
    assert "--label COLUMN" in refused.value.settle
    with pytest.raises(Unclear, match="class, target"):
        choose_label(columns(**{"class": BITS, "target": BITS}), None)
    assert choose_label(columns(a=BITS, target=BITS), WantedLabel("a")).column.name == "a"


def test_no_candidate_is_refused_with_the_columns_of_two_values() -> None:
    with pytest.raises(Unclear, match=r"no column.*two values: churned") as refused:
        choose_label(columns(churned=YES_NO, amount=["1", "2", "3", "4"]), None)
    assert "--label" in refused.value.settle


def test_a_wanted_column_that_is_not_there_is_refused_with_the_closest() -> None:
    with pytest.raises(Unclear, match="no column churnd: did you mean churned"):
        choose_label(columns(churned=YES_NO), WantedLabel("churnd"))


def test_a_wanted_label_may_hold_the_sign() -> None:
    assert WantedLabel.parse("status=bad", ["status"]) == WantedLabel("status", "bad")
    assert WantedLabel.parse("a=b", ["a=b"]) == WantedLabel("a=b")
    assert WantedLabel.parse("status=a=b", ["status=a"]) == WantedLabel("status=a", "b")
    assert WantedLabel.parse("status=", ["status"]) == WantedLabel("status", "")


@pytest.mark.parametrize(
    ("genuine", "fraud"),
    [
        ("0", "1"),
        ("No", "Yes"),
        ("Non", "Oui"),
        ("N", "O"),
        ("false", "true"),
        ("normale", "Fraude"),
    ],
)
def test_usual_texts_say_which_one_is_fraud(genuine: str, fraud: str) -> None:
    assert label_meaning("y", {genuine: 990, fraud: 10}, None) == ([fraud], [genuine])


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({"0": 500}, "one value in every row"),
        ({"": 500}, "y is empty"),
        ({"1": 5, "": 495}, "an empty cell may mean genuine or unknown"),
        ({"0": 400, "1": 50, "2": 50}, "more than two values: '0' .400., '1' .50., '2' .50."),
        ({str(i): 10 for i in range(40)}, "more than two values: 40 different texts"),
        ({"A": 400, "B": 100}, "which one means fraud is not clear"),
        ({"1": 400, "2": 100}, "which one means fraud is not clear"),
        ({"yes": 400, "true": 100}, "mean the same"),
        ({"0": 100_000, "1": 5}, "0.005% of the rows would be fraud"),
        ({"0": 400, "1": 600}, "60.000% of the rows would be fraud"),
    ],
)
def test_texts_that_do_not_say_it_are_refused(counts: dict[str, int], why: str) -> None:
    with pytest.raises(Unclear, match=why):
        label_meaning("y", counts, None)


def test_the_caller_settles_which_text_means_fraud() -> None:
    assert label_meaning("y", {"A": 400, "B": 100}, WantedLabel("y", "B")) == (["B"], ["A"])
    more = {"ok": 400, "late": 60, "lost": 40}
    assert label_meaning("y", more, WantedLabel("y", "lost")) == (["lost"], ["ok", "late"])
    assert label_meaning("y", {"X": 20, "": 480}, WantedLabel("y", "X")) == (["X"], [""])


def test_a_text_that_the_label_never_holds_is_refused() -> None:
    with pytest.raises(Unclear, match=r"never holds 'C'; it holds 'A' .400., 'B' .100."):
        label_meaning("y", {"A": 400, "B": 100}, WantedLabel("y", "C"))
    with pytest.raises(Unclear, match="one value in every row"):
        label_meaning("y", {"A": 400}, WantedLabel("y", "A"))


def test_the_error_survives_pickle() -> None:
    error = pickle.loads(pickle.dumps(Unclear("what", "how")))
    assert (error.what, error.settle, str(error)) == ("what", "how", "what; how")
