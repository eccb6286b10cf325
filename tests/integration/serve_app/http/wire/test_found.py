"""A decision is read later exactly as it was given."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from decision_log.log import DecisionLog
from tests.contracts.decisions import PLAN
from tests.contracts.front import payment
from tests.contracts.recording import SHIPPER, RecordingFront, recording_front

NOTES = {"order": "17", "note": "zwei\nZeilen, ein \\u0000 und 100 %", "empty": ""}


@pytest.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[RecordingFront]:
    async with recording_front(tmp_path / "wal", database_url) as made:
        yield made


def sent(transaction_id: str, **changes: Any) -> dict[str, Any]:
    # Never a whole second: that is read back without the three zeros that it would be sent with.
    now = datetime.now(UTC).replace(microsecond=27_000)
    at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return payment(transaction_id=transaction_id, timestamp=at, **changes)


def as_given(read: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in read.items() if name not in ("payment", "labels")}


@pytest.mark.parametrize("notes", [None, {}, NOTES], ids=["none", "empty", "some"])
async def test_one_decision(front: RecordingFront, notes: Any) -> None:
    body = sent(f"one-{notes is None}-{len(notes or ())}", metadata=notes)
    async with front.client() as client:
        given = (await client.post("/v1/decisions", json=body)).json()
        read = (await client.get(f"/v1/decisions/{given['decision_id']}")).json()
    assert given["stage_ms"].keys() == {
        *("auth", "parse", "wait", "limit", "features", "combine", "log"),
        *(f"variant:{name}" for name in PLAN.variants),
    }
    assert as_given(read) == given
    assert given.get("metadata") == notes
    assert read["payment"] == {name: value for name, value in body.items() if value is not None}
    assert read["labels"] == []


async def test_what_a_payment_left_out_is_left_out(front: RecordingFront) -> None:
    names = ("merchant_id", "merchant_category", "device_id", "ip_address", "country", "channel")
    body = sent("bare", latitude=..., longitude=..., **dict.fromkeys(names, ...))
    body |= {"amount": "1500", "currency": "JPY"}
    async with front.client() as client:
        given = (await client.post("/v1/decisions", json=body)).json()
        read = (await client.get(f"/v1/decisions/{given['decision_id']}")).json()
    assert read["payment"] == body
    assert "metadata" not in read


@pytest.mark.parametrize(("amount", "currency"), [(0.1, "EUR"), ("1.5", "KWD"), (7, "USD")])
async def test_a_payment_as_it_is_read_can_be_sent_again(
    front: RecordingFront, amount: Any, currency: str
) -> None:
    body = sent(f"again-{currency}", amount=amount, currency=currency, metadata=NOTES)
    async with front.client() as client:
        given = (await client.post("/v1/decisions", json=body)).json()
        read = (await client.get(f"/v1/decisions/{given['decision_id']}")).json()
        again = await client.post("/v1/decisions", json=read["payment"])
        assert again.status_code == 200, again.text
        path = f"/v1/decisions/{again.json()['decision_id']}"
        assert (await client.get(path)).json()["payment"] == read["payment"]


async def test_every_row_of_a_batch(front: RecordingFront) -> None:
    rows = [sent(f"row-{i}", metadata=NOTES if i % 2 else ...) for i in range(300)]
    rows[5] = sent("row-5", type="gift")
    async with front.client() as client:
        answer = await client.post("/v1/decisions/batch", json={"transactions": rows})
        results = answer.json()["results"]
        assert len(results) == 300
        for body, given in zip(rows, results, strict=True):
            if body["type"] == "gift":
                assert given["status"] == 422
                continue
            assert given.get("metadata") == body.get("metadata")
            read = (await client.get(f"/v1/decisions/{given['decision_id']}")).json()
            assert as_given(read) == given
            assert read["payment"] == body


async def test_after_a_crash_only_the_time_of_the_writing_is_lost(
    database_url: str, tmp_path: Path
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    async with recording_front(tmp_path / "wal", nowhere) as front, front.client() as client:
        body = sent("crashed", metadata=NOTES)
        given = (await client.post("/v1/decisions", json=body)).json()
        await front.log.close(drain=False)
    log = DecisionLog(tmp_path / "wal", database_url, "writer", shipper=SHIPPER)
    await log.start()
    await log.close()
    async with recording_front(tmp_path / "wal", database_url) as front, front.client() as client:
        read = (await client.get(f"/v1/decisions/{given['decision_id']}")).json()
    del given["stage_ms"]["log"]
    assert as_given(read) == given
    assert read["payment"] == body


async def test_metadata_are_kept_with_the_decision_and_nowhere_else(
    front: RecordingFront, database_url: str
) -> None:
    async with front.client() as client:
        given = (await client.post("/v1/decisions", json=sent("kept", metadata=NOTES))).json()
        await client.get(f"/v1/decisions/{given['decision_id']}")
    connection = await asyncpg.connect(database_url)
    try:
        record = await connection.fetchval(
            "SELECT record::text FROM decisions WHERE decision_id = $1", given["decision_id"]
        )
        row = await connection.fetchrow(
            "SELECT t::text AS row FROM transactions AS t WHERE transaction_id = 'kept'"
        )
    finally:
        await connection.close()
    assert json.loads(record)["transaction"]["metadata"] == NOTES
    assert "Zeilen" not in row["row"]
