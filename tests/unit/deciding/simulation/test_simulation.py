"""The figures of a simulation, against counts made row by row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from deciding.simulation.ledger import MOST_SAMPLES
from deciding.simulation.result import Result
from deciding.simulation.simulation import Simulation
from fraud.costs import Costs
from fraud.ensemble import Thresholds
from fraud.payment.currency import to_major
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.record import DecisionRecord
from tests.contracts.plans import leaf
from tests.contracts.recorded import DECIDED_AT_MS, made, recorded, row_decided

DAY_MS = 86_400_000
BEFORE = Plan("default", 3, leaf("xgboost", "logistic"))
AFTER = replace(
    BEFORE,
    version=4,
    policy=leaf("xgboost", "logistic", thresholds=Thresholds(0.4, 0.6, 0.7)),
    costs=Costs(review=5.0, false_block=20.0, challenge=1.0),
)
OUTCOMES = ("approve", "challenge", "review", "block")


@pytest.fixture(scope="module")
def records() -> list[DecisionRecord]:
    return made(BEFORE, 500, seed=6)


@pytest.fixture(scope="module")
def labels(records: list[DecisionRecord]) -> dict[str, tuple[bool, int]]:
    """Labels of two thirds, a day after the decision."""
    return {
        r.transaction.transaction_id: (r.probability > 0.5, DECIDED_AT_MS + DAY_MS)
        for i, r in enumerate(records)
        if i % 3
    }


@pytest.fixture(scope="module")
def after(records: list[DecisionRecord]) -> list[str]:
    return [OUTCOMES[row_decided(AFTER, r)[1].outcome[0]] for r in records]


def run(
    plan: Plan,
    records: list[DecisionRecord],
    labels: dict[str, tuple[bool, int]] | None = None,
    now_ms: int = DECIDED_AT_MS + 30 * DAY_MS,
    rows: int = 64,
) -> Result:
    simulation = Simulation(plan)
    for start in range(0, len(records), rows):
        simulation.add(recorded(records[start : start + rows], labels))
    return simulation.result("default", len(records), now_ms)


@pytest.fixture(scope="module")
def result(records: list[DecisionRecord], labels: dict[str, tuple[bool, int]]) -> Result:
    return run(AFTER, records, labels)


def test_the_recorded_plan_flips_nothing(records: list[DecisionRecord]) -> None:
    found = run(BEFORE, records)
    assert (found.figures.decisions, found.figures.flipped) == (500, 0)
    assert found.flips == found.sample == ()
    assert found.recorded_plans == (("default", 3, 500),)
    assert all(o.before == o.after for o in found.figures.outcomes)


def test_outcomes_and_flips_are_those_counted_row_by_row(
    result: Result, records: list[DecisionRecord], after: list[str]
) -> None:
    before = [r.outcome for r in records]
    for o in result.figures.outcomes:
        assert (o.before, o.after) == (before.count(o.outcome), after.count(o.outcome))
        assert (o.rate_before, o.rate_after) == (o.before / 500, o.after / 500)
    pairs = Counter(pair for pair in zip(before, after, strict=True) if pair[0] != pair[1])
    assert len(pairs) >= 3
    assert {(f.before, f.after): f.decisions for f in result.flips} == pairs
    assert result.figures.flipped == pairs.total()


def amounts(records: list[DecisionRecord], wanted: Callable[[int], bool]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for i, record in enumerate(records):
        if wanted(i):
            t = record.transaction
            total[t.currency] = total.get(t.currency, Decimal()) + to_major(
                t.amount_minor, t.currency
            )
    return total


def test_value_is_by_currency_and_exact(
    result: Result, records: list[DecisionRecord], after: list[str]
) -> None:
    for flip in result.flips:
        pair = flip.before, flip.after
        expected = amounts(records, lambda i, p=pair: (records[i].outcome, after[i]) == p)
        assert {a.currency: Decimal(a.value) for a in flip.value} == expected


def test_caught_fraud_and_false_positives_are_those_of_labelled_rows(
    result: Result,
    records: list[DecisionRecord],
    labels: dict[str, tuple[bool, int]],
    after: list[str],
) -> None:
    verdicts = [labels.get(r.transaction.transaction_id, (None, 0))[0] for r in records]
    found = result.figures.labels
    assert (found.labelled, found.mature) == (len(labels), len(labels))
    before = [r.outcome for r in records]

    def count(verdict: bool, outcome: list[str]) -> int:
        pairs = zip(verdicts, outcome, strict=True)
        return sum(v is verdict and o != "approve" for v, o in pairs)

    assert (found.fraud, found.genuine) == (verdicts.count(True), verdicts.count(False))
    assert (found.caught_before, found.caught_after) == (count(True, before), count(True, after))
    assert found.false_positives_before == count(False, before)
    assert found.false_positives_after == count(False, after) < count(False, before)
    for value in found.value:
        expected = amounts(records, lambda i: verdicts[i] is True)
        assert Decimal(value.fraud) == expected[value.currency]
        caught = amounts(records, lambda i: verdicts[i] is True and after[i] != "approve")
        assert Decimal(value.after) == caught.get(value.currency, 0)


def test_costs_are_those_of_the_plan_by_currency(
    result: Result,
    records: list[DecisionRecord],
    labels: dict[str, tuple[bool, int]],
    after: list[str],
) -> None:
    def cost(outcome: str, fraud: bool, amount: float) -> float:
        lost = amount if fraud else 0.0
        return {
            "approve": lost,
            "challenge": 1.0 + 0.2 * lost,
            "review": 5.0,
            "block": 0.0 if fraud else 20.0,
        }[outcome]

    expected: dict[str, list[float]] = {}
    for record, outcome in zip(records, after, strict=True):
        t = record.transaction
        if t.transaction_id not in labels:
            continue
        fraud, amount = labels[t.transaction_id][0], float(to_major(t.amount_minor, t.currency))
        both = expected.setdefault(t.currency, [0.0, 0.0])
        both[0] += cost(record.outcome, fraud, amount)
        both[1] += cost(outcome, fraud, amount)
    found = {c.currency: [c.before, c.after] for c in result.figures.labels.cost}
    assert sorted(found) == sorted(expected)
    for currency, both in found.items():
        assert both == pytest.approx(expected[currency])


def test_a_plan_without_costs_has_none(records: list[DecisionRecord]) -> None:
    assert run(replace(AFTER, costs=None), records).figures.labels.cost == ()


def test_young_labels_are_counted_and_left_out(
    records: list[DecisionRecord], labels: dict[str, tuple[bool, int]]
) -> None:
    found = run(AFTER, records, labels, now_ms=DECIDED_AT_MS + DAY_MS // 2).figures.labels
    assert found.labelled == len(labels)
    assert (found.mature, found.fraud, found.caught_after, found.value) == (0, 0, 0, ())


def test_segments_add_up_to_all(result: Result) -> None:
    assert set(result.segments) == {"currency", "country", "type", "channel", "amount", "arm"}
    for found in result.segments.values():
        assert sum(s.figures.decisions for s in found) == 500
        assert sum(s.figures.flipped for s in found) == result.figures.flipped
        counts = [s.figures.decisions for s in found]
        assert counts == sorted(counts, reverse=True)
        assert sum(s.figures.labels.caught_after for s in found) == (
            result.figures.labels.caught_after
        )
    assert {s.name for s in result.segments["country"]} == {"DE", "FR", "unknown"}


def test_a_segment_is_what_a_simulation_of_its_rows_alone_gives(
    result: Result, records: list[DecisionRecord], labels: dict[str, tuple[bool, int]]
) -> None:
    for segment in result.segments["currency"]:
        own = [r for r in records if r.transaction.currency == segment.name]
        assert run(AFTER, own, labels).figures == segment.figures
        assert {v.currency for v in segment.figures.labels.value} <= {segment.name}


@pytest.mark.parametrize(
    ("minor", "currency", "band"),
    [
        (999, "EUR", "below 10"),
        (1000, "EUR", "10 to 50"),
        (9, "JPY", "below 10"),
        (10, "JPY", "10 to 50"),
        (9_999_994, "KWD", "5,000 to 10,000"),
        (1_000_000, "EUR", "from 10,000"),
    ],
)
def test_bands_begin_at_units_of_the_payments_own_currency(
    records: list[DecisionRecord], minor: int, currency: str, band: str
) -> None:
    payment = replace(records[0].transaction, amount_minor=minor, currency=currency)
    found = run(AFTER, [replace(records[0], transaction=payment)])
    assert [s.name for s in found.segments["amount"]] == [band]


def test_arms_are_those_of_the_simulated_plan(records: list[DecisionRecord]) -> None:
    arms = (Arm("control", 80, BEFORE.policy), Arm("new", 20, AFTER.policy))
    found = run(Plan("split", 1, AB(arms, salt="x")), records)
    figures = {s.name: s.figures for s in found.segments["arm"]}
    assert figures["control"].flipped == 0 < figures["new"].flipped
    assert figures["new"].decisions == pytest.approx(100, abs=40)


def test_the_sample_has_every_kind_of_flip_and_true_decisions(
    result: Result, records: list[DecisionRecord], after: list[str]
) -> None:
    assert len(result.sample) <= MOST_SAMPLES
    by_id = {r.decision_id: (r, o) for r, o in zip(records, after, strict=True)}
    for flip in result.sample:
        record, outcome = by_id[flip.decision_id]
        assert (flip.before, flip.after) == (record.outcome, outcome)
        assert flip.probability_before == record.probability
    kinds = {(f.before, f.after) for f in result.flips}
    assert {(f.before, f.after) for f in result.sample} == kinds
    assert len({f.decision_id for f in result.sample}) == len(result.sample)


def test_votes_are_counted_by_version(records: list[DecisionRecord]) -> None:
    newer = made(BEFORE, 100, seed=7, version="f" * 12)
    found = {v.variant: v for v in run(AFTER, [*records, *newer]).votes}
    spoken = sum(v.status == "ok" for r in records for v in r.votes if v.variant == "xgboost")
    assert found["xgboost"].recorded["0123456789ab"] == spoken
    assert set(found["xgboost"].recorded) == {"0123456789ab", "f" * 12}
    assert set(found["xgboost"].missing) == {"late", "failed", "no number"}
    assert found["xgboost"].asked == {}


def test_nothing_on_record_gives_an_empty_result() -> None:
    found = Simulation(AFTER).result("default", 10, DECIDED_AT_MS)
    assert (found.figures.decisions, found.undecided, found.flips) == (0, 0, ())
    document = found.to_document()
    assert (document["first_at"], document["last_at"]) == (None, None)


def test_the_size_of_parts_changes_nothing(records: list[DecisionRecord]) -> None:
    assert run(AFTER, records, rows=500) == run(AFTER, records, rows=7)


def test_the_document_is_json(result: Result) -> None:
    document = json.loads(json.dumps(result.to_document()))
    assert document["plan"] == {"name": "default", "version": 4}
    assert document["recorded_plans"] == [{"name": "default", "version": 3, "decisions": 500}]
    assert document["first_at"] == document["last_at"] == "2026-09-21T14:13:20.000Z"
    assert document["segments"]["currency"][0]["labels"]["mature"] > 0
    assert "figures" not in document
