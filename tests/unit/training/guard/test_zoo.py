"""Every leaky set of the zoo is refused, and no honest one."""

from __future__ import annotations

import pytest

from tests.contracts.zoo import innocents, later, leaks, met
from tests.contracts.zoo.world import Make
from training.finding import Finding
from training.guard.guard import inspect_columns, inspect_history
from training.sets.dataset import Dataset

SEED = 7

pytestmark = pytest.mark.slow


def findings(make: Make) -> list[Finding]:
    data = make()
    if isinstance(data, Dataset):
        return inspect_columns(data, SEED)
    return inspect_history(data, SEED)


def refused(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.severity == "refuse"]


@pytest.mark.parametrize("name", [*leaks.TUNING, *leaks.HELD_OUT])
def test_a_leaky_set_is_refused_with_what_would_make_it_honest(name: str) -> None:
    make = {**leaks.TUNING, **leaks.HELD_OUT}[name]
    found = refused(findings(make))
    assert found
    for finding in found:
        assert finding.column
        assert "honest only if" in finding.sentence


@pytest.mark.parametrize("name", [*innocents.TUNING, *innocents.HELD_OUT])
def test_an_innocent_set_passes(name: str) -> None:
    make = {**innocents.TUNING, **innocents.HELD_OUT}[name]
    found = findings(make)
    assert refused(found) == []
    assert len(found) <= 1


@pytest.mark.parametrize("name", later.LEAKS)
def test_a_later_leak_is_refused(name: str) -> None:
    assert refused(findings(later.LEAKS[name]))


@pytest.mark.parametrize("name", later.WEAK)
def test_a_weak_leak_is_a_warning(name: str) -> None:
    """It predicts the label too weakly to be refused."""
    (finding,) = findings(later.WEAK[name])
    assert (finding.severity, finding.code) == ("warn", "nearly-tells-label")


@pytest.mark.parametrize("name", later.INNOCENTS)
def test_a_later_innocent_set_passes(name: str) -> None:
    found = findings(later.INNOCENTS[name])
    assert refused(found) == []
    assert len(found) <= 1


def test_what_leaks_is_named() -> None:
    named = {
        "charge-off day": "whether charge_off_day is known",
        "full hour": "the full hour of timestamp",
        "cents on fraud": "the cents of amount",
        "customer id range": "customer_id",
        "label and noise .5": "noise of 0.50",
        "merchant rate of the file": "follows the labels, of shop",
    }
    for name, said in named.items():
        assert any(said in f.sentence for f in refused(findings(leaks.TUNING[name]))), name


@pytest.mark.parametrize("name", met.LEAKS)
def test_a_leak_as_it_is_met_is_refused(name: str) -> None:
    found = refused(findings(met.LEAKS[name]))
    assert found
    assert all("honest only if" in finding.sentence for finding in found)


@pytest.mark.parametrize("name", met.TOLD)
def test_what_might_be_honest_is_a_warning(name: str) -> None:
    found = findings(met.TOLD[name])
    assert refused(found) == []
    assert found


@pytest.mark.parametrize("name", met.INNOCENTS)
def test_an_innocent_set_as_it_is_met_has_no_finding(name: str) -> None:
    assert findings(met.INNOCENTS[name]) == []
