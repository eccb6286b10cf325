"""The labelled sets in `../shared/data`, cut into parts by time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loadtests.bench.offline.matching.part import Part

_HANDBOOK = {
    "transaction_id": "TRANSACTION_ID", "timestamp": "TX_DATETIME", "customer_id": "CUSTOMER_ID",
    "merchant_id": "TERMINAL_ID", "amount": "TX_AMOUNT",
}  # fmt: skip
_SPARKOV = {
    "transaction_id": "trans_num", "timestamp": "trans_date_trans_time", "customer_id": "cc_num",
    "merchant_id": "merchant", "merchant_category": "category", "amount": "amt",
    "latitude": "merch_lat", "longitude": "merch_long",
}  # fmt: skip
_PAYSIM = {
    "timestamp": "step", "type": "type", "amount": "amount", "customer_id": "nameOrig",
    "counterparty_id": "nameDest",
}  # fmt: skip
_AMLSIM = {
    "timestamp": "time", "customer_id": "sourceNodeId", "counterparty_id": "targetNodeId",
    "amount": "value",
}  # fmt: skip


def real_parts(folder: Path) -> Iterator[Part]:
    """Yield the parts of all sets in a folder; none if it does not exist."""
    if not folder.is_dir():
        return
    yield from _ulb(folder / "ulb_creditcard/creditcard_f32.parquet")
    yield from _handbook(folder / "handbook_raw/dev_2018-04-01_to_2018-08-14.parquet")
    path = folder / "sparkov_gen_A_kaggle_layout/transactions.parquet"
    yield from _halves("sparkov", pq.read_table(path), "is_fraud", _SPARKOV)
    path = folder / "paysim_sample_51k/paysim_sample.parquet"
    paysim = pq.read_table(path).drop_columns(["isFlaggedFraud"])
    yield from _halves("paysim", paysim.sort_by("step"), "isFraud", _PAYSIM)
    yield from _amlsim(folder / "amlsim_20k")


def other_domains(folder: Path) -> Iterator[Part]:
    """Yield the sets about credit."""
    if not folder.is_dir():
        return
    for name, file, label in (
        (
            "uci-default",
            "uci_default_credit/UCI_Credit_Card_30k.parquet",
            "default-payment-next-month",
        ),
        ("german-credit", "german_credit/germancredit.parquet", "creditability"),
    ):
        table = pq.read_table(folder / file)
        yield Part(name, name, table.drop_columns([label]), np.zeros(0, np.bool_), {})


def _ulb(path: Path) -> Iterator[Part]:
    yield from _halves("ulb", pq.read_table(path), "Class", {})


def _handbook(path: Path) -> Iterator[Part]:
    table = pq.read_table(path).drop_columns(["TX_FRAUD_SCENARIO"])
    for month, name in ((4, "april"), (6, "june"), (7, "july")):
        inside = pc.equal(pc.month(table.column("TX_DATETIME")), month)
        yield _part(f"handbook-{name}", "handbook", table.filter(inside), "TX_FRAUD", _HANDBOOK)


def _amlsim(folder: Path) -> Iterator[Part]:
    for name in ("cycle200", "fanin200", "fanin200cycle200"):
        table = pq.read_table(folder / f"20K_{name}_transactions.parquet")
        nodes = pq.read_table(folder / f"20K_{name}_nodes.parquet")
        frauds = nodes.filter(pc.equal(nodes.column("isFraud"), 1)).column("nodeid")
        label = pc.is_in(table.column("sourceNodeId"), value_set=frauds.combine_chunks())
        yield Part(f"amlsim-{name}", "amlsim", table, label.to_numpy(), _AMLSIM)


def _halves(family: str, table: pa.Table, label: str, fields: dict[str, str]) -> Iterator[Part]:
    middle = table.num_rows // 2
    yield _part(f"{family}-first", family, table.slice(0, middle), label, fields)
    yield _part(f"{family}-second", family, table.slice(middle), label, fields)


def _part(name: str, family: str, table: pa.Table, label: str, fields: dict[str, str]) -> Part:
    fraud = np.asarray(table.column(label).to_numpy(), dtype=np.float64) > 0
    return Part(name, family, table.drop_columns([label]), fraud, fields)
