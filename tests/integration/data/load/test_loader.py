"""Loading into a real PostgreSQL: each row once, whatever happens."""

from __future__ import annotations

import asyncio
import csv
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.files import source
from data.layout.layout import MostlyUnreadable, parse_layout
from data.load.loader import LoadBusy, LoadReport, load_file
from tests.contracts.layouts import LABELLED
from tests.contracts.root import ROOT

DATA = ROOT / "../shared/data"


def rejected(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


async def contents(database: Any) -> tuple[list[Any], list[Any]]:
    rows = await database.fetch(
        "SELECT tenant, transaction_id, occurred_at, customer_id, amount_minor, currency, type,"
        " merchant_id, merchant_category, counterparty_id, device_id, ip_address, country,"
        " channel, latitude, longitude, amount_hundredths FROM transactions ORDER BY 1, 2, 3"
    )
    labels = await database.fetch(
        "SELECT tenant, transaction_id, is_fraud, known_at, source FROM labels ORDER BY 1, 2"
    )
    return rows, labels


async def test_what_is_in_the_file_is_in_the_database(
    database_url: str, database: Any, world: Path
) -> None:
    report = await load_file(database_url, world, "canonical", tenant="a")
    file = pq.read_table(world).to_pylist()
    rows, labels = await contents(database)
    assert (report.rows, report.loaded, report.bad, report.finished) == (
        len(file),
        len(file),
        0,
        True,
    )
    by_id = {row["transaction_id"]: row for row in file}
    for row in rows:
        origin = by_id[row["transaction_id"]]
        assert row["occurred_at"] == origin["timestamp"]
        for name in (
            "customer_id",
            "merchant_id",
            "device_id",
            "ip_address",
            "latitude",
            "channel",
        ):
            assert row[name] == origin[name]
    assert len(labels) == len(file)
    known = {x["transaction_id"]: (x["is_fraud"], x["known_at"]) for x in labels}
    assert known == {k: (r["is_fraud"], r["label_known_at"]) for k, r in by_id.items()}
    months = await database.fetch("SELECT DISTINCT tableoid::regclass::text FROM transactions")
    assert {m[0] for m in months} == {f"transactions_2024_{month}" for month in ("08", "09", "10")}


async def test_loading_twice_is_loading_once(database_url: str, database: Any, world: Path) -> None:
    first = await load_file(database_url, world, "canonical")
    before = await contents(database)
    second = await load_file(database_url, world, "canonical")
    assert (second.rows, second.loaded, second.resumed_after) == (0, 0, first.rows)
    third = await load_file(database_url, world, "canonical", again=True)
    assert (third.rows, third.loaded, third.already_there) == (first.rows, 0, first.rows)
    assert third.labels == 0
    assert await contents(database) == before


async def test_tenants_do_not_share_progress(database_url: str, database: Any, world: Path) -> None:
    for tenant in ("a", "b"):
        report = await load_file(database_url, world, "canonical", tenant=tenant, limit=500)
        assert report.loaded == 500
    assert await database.fetchval("SELECT count(*) FROM transactions") == 1000


async def test_a_load_continues_after_its_limit(
    database_url: str, database: Any, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "ROWS_PER_CHUNK", 300)
    first = await load_file(database_url, world, "canonical", limit=1000)
    assert (first.loaded, first.finished) == (1000, False)
    rest = await load_file(database_url, world, "canonical")
    assert (rest.resumed_after, rest.finished, rest.already_there) == (1000, True, 0)
    total = pq.ParquetFile(world).metadata.num_rows
    assert await database.fetchval("SELECT count(*) FROM transactions") == total


async def test_a_changed_file_is_another_source(
    database_url: str, database: Any, world: Path, tmp_path: Path
) -> None:
    table = pq.read_table(world)
    path = tmp_path / "grows.parquet"
    pq.write_table(table.slice(0, 500), path)
    first = await load_file(database_url, path, "canonical")
    pq.write_table(table.slice(0, 700), path)
    second = await load_file(database_url, path, "canonical")
    assert first.source != second.source
    assert (second.rows, second.loaded, second.already_there) == (700, 200, 500)


async def test_of_two_loads_at_once_one_is_refused(
    database_url: str, database: Any, world: Path
) -> None:
    loads = (load_file(database_url, world, "canonical") for _ in range(2))
    done = await asyncio.gather(*loads, return_exceptions=True)
    assert sorted(type(d) for d in done if not isinstance(d, LoadReport)) == [LoadBusy]
    total = pq.ParquetFile(world).metadata.num_rows
    assert await database.fetchval("SELECT count(*) FROM transactions") == total


KILLED = """
import asyncio, sys, time
from pathlib import Path
from data.files import source
from data.load.loader import load_file
source.ROWS_PER_CHUNK = 200
def pause(*_):
    time.sleep(0.02)  # never done before whoever kills it has looked
url, path, rejects = sys.argv[1:]
asyncio.run(load_file(url, Path(path), "canonical", rejects=Path(rejects), progress=pause))
"""


async def test_killed_and_run_again_is_exact(
    database_url: str, database: Any, world: Path, tmp_path: Path
) -> None:
    """Killed three times anywhere: rows, labels, progress and rejects are complete in the end."""
    path, rejects = tmp_path / "flawed.parquet", tmp_path / "r.csv"
    table = pq.read_table(world)
    lands = ["ZZ" if i % 50 == 7 else v for i, v in enumerate(table["country"].to_pylist())]
    pq.write_table(
        table.set_column(table.schema.get_field_index("country"), "country", pa.array(lands)), path
    )
    command = [sys.executable, "-c", KILLED, database_url, str(path), str(rejects)]
    kills = 0
    for _ in range(3):
        seen = await database.fetchval("SELECT count(*) FROM transactions")
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        deadline = time.monotonic() + 60
        while process.returncode is None and time.monotonic() < deadline:
            if await database.fetchval("SELECT count(*) FROM transactions") > seen + 1000:
                process.kill()
                kills += 1
                break
            await asyncio.sleep(0.002)
        await asyncio.wait_for(process.wait(), 60)
    assert kills >= 2
    report = await load_file(database_url, path, "canonical", rejects=rejects)
    total = len(table)
    n_bad = len(range(7, total, 50))
    assert report.resumed_after > 0
    assert report.finished
    assert report.bad == n_bad
    assert await database.fetchval("SELECT count(*) FROM transactions") == total - n_bad
    assert await database.fetchval("SELECT count(*) FROM labels") == total - n_bad
    assert [int(row["row"]) for row in rejected(rejects)] == list(range(8, total + 1, 50))


async def test_bad_lines_of_a_csv_are_listed_in_a_file(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(
        b"id,card,at,value,y\n"
        b"1,c1,2024-05-01 10:00:00,10.00,0\n"
        b"2,c1,2024-05-01 10:01:00,0,0\n"
        b"3,c1,2024-05-01 10:02:00\n"
        b"4,,2024-05-01 10:03:00,5,1\n"
        b"5,c2,never,5,1\n"
        b"6,c2,2024-05-01 10:05:00,5.005,1\n"
        b'7,"c, 2",2024-05-01 10:06:00,7.5,1\n'
    )
    report = await load_file(database_url, path, parse_layout(LABELLED, "mine.toml"))
    assert (report.rows, report.loaded, report.bad, report.labels) == (7, 2, 5, 2)
    assert report.rejects is not None
    assert Path(report.rejects).parent == tmp_path
    rows = [(r["line"], r["field"], r["code"]) for r in rejected(Path(report.rejects))]
    assert rows == [
        ("3", "amount", "not_positive"),
        ("4", "", "malformed"),
        ("5", "customer_id", "missing"),
        ("6", "timestamp", "not_a_time"),
        ("7", "amount", "too_precise"),
    ]
    names = await database.fetch("SELECT customer_id FROM transactions ORDER BY transaction_id")
    assert [n[0] for n in names] == ["c1", "c, 2"]


@pytest.mark.skipif(not DATA.is_dir(), reason="the real sets are not beside the project")
@pytest.mark.parametrize(
    ("layout", "name", "bad"),
    [
        ("handbook", "handbook_raw/dev_2018-04-01_to_2018-08-14.parquet", 0),
        ("sparkov", "sparkov_gen_A_kaggle_layout/transactions.parquet", 0),
        ("paysim", "paysim_sample_51k/paysim_sample.parquet", 0),
        ("amlsim", "amlsim_20k/20K_cycle200_transactions.parquet", 0),
        ("ulb", "ulb_creditcard/creditcard_f32.parquet", 194),
        ("uci-default", "uci_default_credit/UCI_Credit_Card_30k.parquet", 0),
        ("german-credit", "german_credit/germancredit.parquet", 0),
    ],
)
async def test_the_real_sets_load(
    database_url: str, database: Any, tmp_path: Path, layout: str, name: str, bad: int
) -> None:
    """The first 20,000 rows of each set. Rejected rows have an amount of zero."""
    report = await load_file(
        database_url, DATA / name, layout, limit=20_000, rejects=tmp_path / "r.csv"
    )
    assert report.loaded == report.labels == report.rows - report.bad
    if report.bad:
        assert {r["code"] for r in rejected(tmp_path / "r.csv")} == {"not_positive"}
    assert report.bad == bad
    assert await database.fetchval("SELECT count(*) FROM labels WHERE is_fraud") > 0


async def test_rows_that_are_all_refused_have_their_reasons(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("id,card,at,value,y\n1,NULL,2024-05-01,5,0\n2,c,01/05/2024,5,0\n")
    report = await load_file(database_url, path, parse_layout(LABELLED, "mine.toml"))
    assert (report.rows, report.loaded, report.bad, report.finished) == (2, 0, 2, True)
    reasons = [(r["field"], r["code"], r["rows"], r["first_line"]) for r in report.reasons]
    assert sorted(reasons) == [("customer_id", "missing", 1, 2), ("timestamp", "not_a_time", 1, 3)]
    assert {r["field"]: r["example"] for r in report.reasons}["timestamp"] == "'01/05/2024'"


async def test_a_mostly_unreadable_column_stops_the_load_before_it_begins(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    """With day and month mixed up, days up to the twelfth would load as other dates."""
    path = tmp_path / "mine.csv"
    days = [f"{i},c,{i % 28 + 1:02}/05/2024,5,0" for i in range(60)]
    path.write_text("\n".join(["id,card,at,value,y", *days]))
    swapped = LABELLED.replace('"at"', '{ column = "at", format = "%m/%d/%Y" }')
    with pytest.raises(
        MostlyUnreadable, match=r"timestamp: .* of the first 60 cells .*'13/05/2024'"
    ):
        await load_file(database_url, path, parse_layout(swapped, "mine.toml"))
    assert await database.fetchval("SELECT count(*) FROM transactions") == 0


async def test_the_same_payments_from_csv_and_parquet_are_the_same(
    database_url: str, database: Any, tmp_path: Path
) -> None:
    csv_path, parquet = tmp_path / "mine.csv", tmp_path / "mine.parquet"
    csv_path.write_text(
        "id,card,at,value,y\n1,18.00,2024-05-01 10:00,€5.10,N\n2,19,2024-05-02,7,Y\n"
    )
    table = pa.table(
        {
            "id": pa.array([1.0, 2.0]),
            "card": pa.array([Decimal(18), Decimal(19)], pa.decimal128(38, 10)),
            "at": pa.array(["2024-05-01T10:00", "2024-05-02"]).cast(pa.timestamp("ns")),
            "value": pa.array([Decimal("5.1"), Decimal(7)], pa.decimal128(12, 4)),
            "y": [False, True],
        }
    )
    pq.write_table(table, parquet)
    layout = parse_layout(LABELLED, "mine.toml")
    first = await load_file(database_url, csv_path, layout)
    before = await contents(database)
    second = await load_file(database_url, parquet, layout)
    assert (first.loaded, second.loaded, second.already_there) == (2, 0, 2)
    assert await contents(database) == before
    assert {row["customer_id"] for row in before[0]} == {"18", "19"}
