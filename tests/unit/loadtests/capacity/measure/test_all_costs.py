"""Which parts are measured, and what is taken from the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.capacity.constants import Constants
from loadtests.capacity.measure import all_costs
from loadtests.capacity.measure.all_costs import PARTS, measure

FILE = """transaction_id,customer_id,timestamp,amount,currency,type,is_fraud
a,c1,2026-01-05T11:00:00Z,10.00,EUR,purchase,0
b,c2,2026-01-05T11:00:01Z,12.50,EUR,purchase,0
"""


@pytest.fixture(autouse=True)
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "payments.csv"
    path.write_text(FILE)
    monkeypatch.setenv("QUORUM_LOAD_FILE", str(path))


def test_a_part_that_is_neither_named_nor_known_is_an_error() -> None:
    with pytest.raises(ValueError, match="redis, postgres, node must be measured too"):
        measure(["links"], None, 1.0)


def test_only_the_named_part_is_new(constants: Constants) -> None:
    found = measure(["links"], constants, 1.0)
    assert found.links != constants.links
    assert found.links.variants.row > found.links.fetch.row > 0
    assert found.sources["links"].measured > constants.sources["links"].measured
    for part in PARTS:
        if part != "links":
            assert getattr(found, part) == getattr(constants, part)
            assert found.sources[part] == constants.sources[part]
    assert found.sources["links"].command.endswith("measure --parts links")


def test_every_part_can_be_measured() -> None:
    assert tuple(all_costs._MEASURES) == PARTS
