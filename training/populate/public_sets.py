"""Recipes of the public sets: a small part of each, so that training takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from training.config import TrainConfig
from training.populate.recipe import Recipe

_ULB = "ulb_creditcard"
_PAYSIM = "paysim_sample_51k"
_HANDBOOK = "handbook_raw"
_SPARKOV = "sparkov_gen_A_kaggle_layout"
_AMLSIM = "amlsim_20k"
_AMLSIM_SET = "20K_fanin200cycle200"
_CENT = 0.01

Cut = Callable[[pa.Table], pa.Table]


def public_sets(table: TrainConfig, history: TrainConfig) -> tuple[Recipe, ...]:
    """The recipes of all public sets.

    Args:
        table, history: configurations for sets of either kind.
    """
    return (
        Recipe("ulb", "ULB / Worldline card payments, the first half by time", "tabular",
               _part(_ULB, _first_half), "first half by time, 1", table, _ULB, "ulb"),
        Recipe("paysim", "PaySim mobile money", "tabular",
               _part(_PAYSIM, _by_step), "by step, 1", table, _PAYSIM, label="isFraud"),
        Recipe("handbook", "Fraud Detection Handbook, seven weeks of a quarter of the cards",
               "history", _part(_HANDBOOK, _handbook_weeks), "49 days, every 4th card, 1", history,
               _HANDBOOK, "handbook"),
        Recipe("sparkov", "Sparkov card payments, four months of a third of the cards", "history",
               _part(_SPARKOV, _sparkov_months), "120 days, every 3rd card, 1", history, _SPARKOV,
               "sparkov"),
        Recipe("amlsim", "AMLSim transfers, the first third by time", "history", _amlsim,
               "first third by time, 1", history, _AMLSIM, "amlsim"),
    )  # fmt: skip


def _part(folder: str, cut: Cut) -> Callable[[Path, Path], Path]:
    """Write a part of a public set under the name of its file."""

    def write(to: Path, data: Path) -> Path:
        source = sorted((data / folder).glob("*.parquet"))[0]
        path = to / source.name
        pq.write_table(cut(pq.read_table(source)), path)
        return path

    return write


def _first_half(table: pa.Table) -> pa.Table:
    return table.slice(0, table.num_rows // 2)


def _by_step(table: pa.Table) -> pa.Table:
    """In the order of time: the sample is not."""
    return table.take(pc.sort_indices(table, [("step", "ascending")]))


def _handbook_weeks(table: pa.Table) -> pa.Table:
    """Seven weeks of every fourth card. Payments of 0.00 become a cent, as in the protocol."""
    days = pc.less(table["TX_TIME_DAYS"], 49)
    cards = pc.equal(pc.bit_wise_and(table["CUSTOMER_ID"], 3), 0)
    part = table.filter(pc.and_(days, cards))
    amounts = pc.max_element_wise(part["TX_AMOUNT"], pa.scalar(_CENT))
    return part.set_column(part.schema.get_field_index("TX_AMOUNT"), "TX_AMOUNT", amounts)


def _sparkov_months(table: pa.Table) -> pa.Table:
    """Four months of every third card."""
    early = pc.less(table["trans_date_trans_time"], pa.scalar(datetime(2022, 5, 1)))  # noqa: DTZ001
    cards = sorted(set(table["cc_num"].to_pylist()))[::3]
    chosen = pc.is_in(table["cc_num"], value_set=pa.array(cards, table["cc_num"].type))
    return table.filter(pc.and_(early, chosen))


def _amlsim(to: Path, data: Path) -> Path:
    """The first third of the transfers, beside the file of accounts that holds the labels."""
    nodes = data / _AMLSIM / f"{_AMLSIM_SET}_nodes.parquet"
    (to / nodes.name).write_bytes(nodes.read_bytes())
    table = pq.read_table(data / _AMLSIM / f"{_AMLSIM_SET}_transactions.parquet")
    table = table.take(pc.sort_indices(table, [("time", "ascending")]))
    path = to / f"{_AMLSIM_SET}_transactions.parquet"
    pq.write_table(table.slice(0, table.num_rows // 3), path)
    return path
