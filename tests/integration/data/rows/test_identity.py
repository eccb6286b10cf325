"""One id is one payment: in a file, across files, and beside payments that were decided on."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.files import source
from data.history.history import read_history
from data.layout.layout import Layout, parse_layout
from data.load.loader import LoadReport, load_file
from decision_log.shipping.postgres_sink import PostgresSink
from tests.contracts.decisions import decision_records, gathered
from tests.contracts.layouts import MINIMAL

LAYOUT = f"""{MINIMAL}merchant_id = "shop"
[label]
column = "fraud"
delay_days = 1
"""
REJECT = parse_layout(LAYOUT, "mine.toml")
APART = parse_layout(f'{LAYOUT}[transaction_id]\nrepeated = "apart"\n', "mine.toml")

FILE = (
    "000017,card-A,2026-03-01T10:00:00Z,10.00,s1,1",
    "000018,card-C,2026-03-01T11:00:00Z,20.00,s1,0",
    "000017,card-B,2026-03-02T10:00:00Z,30.00,s2,0",
    "000018,card-D,2026-03-02T11:00:00Z,40.00,s2,1",
)


@pytest.fixture(params=[1, 2, 50_000], ids=lambda rows: f"chunks-of-{rows}")
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in one chunk and across chunks."""
    monkeypatch.setattr(source, "ROWS_PER_CHUNK", request.param)


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("id,card,at,value,shop,fraud", *lines, "")))
    return path


def rejected(report: LoadReport) -> list[tuple[str, str, str]]:
    if report.rejects is None:
        return []
    with Path(report.rejects).open() as file:
        return [(row["row"], row["field"], row["code"]) for row in csv.DictReader(file)]


async def frauds(database_url: str) -> dict[str, tuple[str, int]]:
    """Customer -> id and label of their one payment, as training reads them."""
    history = await read_history(database_url, "default")
    rows = zip(history.batch.customer_id, history.batch.transaction_id, history.label, strict=True)
    found = {customer: (one, int(label)) for customer, one, label in rows}
    assert len(found) == len(history)
    return found


@pytest.mark.usefixtures("chunks")
async def test_the_second_payment_of_an_id_is_refused_and_named(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    report = await load_file(database_url, written(tmp_path / "f.csv", *FILE), REJECT)
    assert (report.loaded, report.already_there, report.bad, report.labels) == (2, 0, 2, 2)
    assert report.reused == 2
    assert report.reused_ids == {"000017": [3], "000018": [4]}
    assert rejected(report) == [
        ("3", "transaction_id", "another_payment"),
        ("4", "transaction_id", "another_payment"),
    ]
    assert await frauds(database_url) == {"card-A": ("000017", 1), "card-C": ("000018", 0)}


@pytest.mark.usefixtures("chunks")
async def test_payments_kept_apart_have_their_own_labels_and_a_second_load_adds_nothing(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    path = written(tmp_path / "f.csv", *FILE)
    report = await load_file(database_url, path, APART)
    assert (report.loaded, report.bad, report.labels, report.reused) == (4, 0, 4, 2)
    first = await frauds(database_url)
    labels = {customer: label for customer, (_, label) in first.items()}
    assert labels == {"card-A": 1, "card-C": 0, "card-B": 0, "card-D": 1}
    assert len({one for one, _ in first.values()}) == 4
    again = await load_file(database_url, path, APART, again=True)
    assert (again.loaded, again.already_there, again.labels, again.bad) == (0, 4, 0, 0)
    # And so do the same rows in a file of their own, in another order.
    other = await load_file(database_url, written(tmp_path / "g.csv", *FILE[::-1]), APART)
    assert (other.loaded, other.already_there, other.labels) == (0, 4, 0)
    assert await frauds(database_url) == first


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("1,card-A,2026-03-01T10:00:00Z,10.00,s1,0", True),  # the same row
        ("1,card-A,2026-03-01T10:00:30Z,10.00,s1,0", True),  # stamped anew
        ("1,card-A,2026-03-01T10:00:00Z,10.00,,0", True),  # knows less of it
        ("1,card-B,2026-03-01T10:00:00Z,10.00,s1,0", False),  # another customer alone
        ("1,card-A,2026-03-01T10:00:00Z,10.01,s1,0", False),  # another amount alone
        ("1,card-A,2026-03-01T10:00:00Z,10.00,s2,0", False),  # another merchant alone
        ("1,card-A,2026-03-02T10:00:00Z,10.00,s1,0", False),  # another day alone
        ("1,card-A,2021-01-01T10:00:00Z,10.00,s1,0", False),  # years before
    ],
)
@pytest.mark.parametrize("across", ["rows", "files", "resumed"])
async def test_which_rows_repeat_a_payment(
    database_url: str,
    database: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    taken: bool,
    across: str,
) -> None:
    first = "1,card-A,2026-03-01T10:00:00Z,10.00,s1,0"
    monkeypatch.setattr(source, "ROWS_PER_CHUNK", 1 if across == "resumed" else 50_000)
    if across == "files":
        await load_file(database_url, written(tmp_path / "one.csv", first), REJECT)
        # A file of the same bytes would be the same source, and done.
        path = written(tmp_path / "two.csv", line)
        report = await load_file(database_url, path, REJECT, again=True)
    else:
        path = written(tmp_path / "f.csv", first, line)
        if across == "resumed":
            await load_file(database_url, path, REJECT, limit=1)
        report = await load_file(database_url, path, REJECT)
    assert (report.already_there, report.bad, report.reused) == ((1, 0, 0) if taken else (0, 1, 1))
    assert await database.fetchval("SELECT count(*) FROM transactions") == 1


@pytest.mark.usefixtures("chunks")
async def test_labels_of_one_payment_that_contradict_each_other_are_refused(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    same = "1,card-A,2026-03-01T10:00:00Z,10.00,s1"
    report = await load_file(
        database_url, written(tmp_path / "f.csv", f"{same},1", f"{same},0", f"{same},1"), REJECT
    )
    assert (report.loaded, report.already_there, report.bad, report.labels) == (1, 1, 1, 1)
    assert rejected(report) == [("2", "is_fraud", "contradicts")]
    assert await frauds(database_url) == {"card-A": ("1", 1)}


async def test_a_label_that_became_known_later_is_a_correction(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    dated = parse_layout(
        LAYOUT.replace("delay_days = 1", 'known_at = "known"').replace('"shop"', '"id"'), "m.toml"
    )
    path = tmp_path / "f.csv"
    path.write_text(
        "id,card,at,value,known,fraud\n"
        "1,card-A,2026-03-01T10:00:00Z,10.00,2026-03-05T00:00:00Z,1\n"
        "1,card-A,2026-03-01T10:00:00Z,10.00,2026-03-09T00:00:00Z,0\n"
    )
    report = await load_file(database_url, path, dated)
    assert (report.loaded, report.already_there, report.bad, report.labels) == (1, 1, 0, 2)
    assert await frauds(database_url) == {"card-A": ("1", 0)}


@pytest.mark.parametrize("layout", [REJECT, APART], ids=["reject", "apart"])
async def test_a_payment_that_was_decided_on_keeps_its_id(
    database_url: str, database: Any, tmp_path: Path, layout: Layout
) -> None:
    (record,) = decision_records(1, "live")
    payment = replace(record.transaction, transaction_id="000017", merchant_id="s1")
    sink = PostgresSink(database_url)
    await sink.insert(gathered([replace(record, transaction=payment)]))
    await sink.close()
    at = datetime.fromtimestamp(payment.timestamp_ms // 1000, UTC).isoformat()
    value = payment.amount_minor / 100
    report = await load_file(
        database_url,
        written(
            tmp_path / "f.csv",
            f"000017,{payment.customer_id},{at},{value},s1,1",
            f"000017,someone,{at},{value},s1,0",
        ),
        replace(
            layout,
            text={
                **layout.text,
                "currency": layout.text["currency"].model_copy(
                    update={"constant": payment.currency}
                ),
            },
        ),
    )
    kept = 1 if layout is APART else 0
    assert (report.loaded, report.already_there, report.bad) == (kept, 1, 1 - kept)
    found = await frauds(database_url)
    assert found[payment.customer_id] == ("000017", 1)
    assert len(found) == 1 + kept


async def test_tenants_have_ids_of_their_own(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    await load_file(database_url, written(tmp_path / "a.csv", FILE[0]), REJECT, tenant="a")
    report = await load_file(database_url, written(tmp_path / "b.csv", FILE[2]), REJECT, tenant="b")
    assert (report.loaded, report.bad) == (1, 0)
