"""The protocol of the Fraud Detection Handbook: seven days of training, seven days of delay, and
seven days of test without the cards known to be compromised by then.

The rows are those of the handbook's `get_train_test_set`. Its files contain payments of 0.00, which
Quorum rejects; they are read as 0.01 to keep the rows the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fraud.errors import NotTrainable
from fraud.payment.batch import Int64
from training.config import TrainConfig
from training.protocols.protocol import EvaluationProtocol
from training.protocols.protocol_split import ProtocolSplit
from training.protocols.reader import ProtocolReader
from training.sets.dataset import Dataset
from training.sets.split import DAY_MS, FRAUD, UNKNOWN

_FIRST_DAY = 17_622  # 2018-04-01, days since 1970
_TEST_DAY = _FIRST_DAY + 129  # 2018-08-08
_TRAIN_DAYS = _DELAY_DAYS = _TEST_DAYS = 7
_WARMUP_DAYS = 30
_WEEKS_BACK = (2, 4, 6, 8)
_CENT = 0.01


def read(path: Path, reading: ProtocolReader) -> Dataset:
    """Every payment with its features."""
    with tempfile.TemporaryDirectory(prefix="quorum-handbook-") as folder:
        sound = Path(folder) / path.name
        table = pq.read_table(path)
        amounts = table["TX_AMOUNT"]
        least = pc.max_element_wise(amounts, pa.scalar(_CENT))
        place = table.schema.get_field_index("TX_AMOUNT")
        pq.write_table(table.set_column(place, "TX_AMOUNT", least), sound)
        return reading.history("handbook", sound)


def splits(dataset: Dataset, config: TrainConfig) -> list[ProtocolSplit]:
    """The official week with seven days of training, the same with all earlier days, and earlier
    weeks."""
    train, test = rows_of(dataset, _TEST_DAY)
    history = _rows_between(dataset, _FIRST_DAY + _WARMUP_DAYS, _TEST_DAY - _DELAY_DAYS)
    found = [
        ProtocolSplit(
            "official",
            "official: 2018-07-25 to 07-31, tested on 08-08 to 08-14",
            train,
            test,
            config,
        ),
        ProtocolSplit(
            "any_history",
            "the same week, all days from 2018-05-01 to 07-31",
            history,
            test,
            _with_delay(config),
        ),
    ]
    for weeks in _WEEKS_BACK:
        train, test = rows_of(dataset, _TEST_DAY - 7 * weeks)
        found.append(
            ProtocolSplit(_name(weeks), f"official, {weeks} weeks earlier", train, test, config)
        )
    return found


def rows_of(dataset: Dataset, test_day: int) -> tuple[Int64, Int64]:
    """Training and test rows of the handbook's `get_train_test_set`.

    A card is known to be compromised if it had fraud in the training days, or later but more than
    seven days before the tested day. Its payments are left out of the test.

    Args:
        test_day: first day of the test, days since 1970.

    Raises:
        NotTrainable: the file does not cover these days.
    """
    day = dataset.timestamp_ms // DAY_MS
    start = test_day - _DELAY_DAYS - _TRAIN_DAYS
    if dataset.customer_id is None or day[0] > start or day[-1] < test_day + _TEST_DAYS - 1:
        raise NotTrainable("the handbook's file does not hold the days of its own protocol")
    customer = np.unique(np.array(dataset.customer_id), return_inverse=True)[1]
    fraud = dataset.label == FRAUD
    train = _rows_between(dataset, start, start + _TRAIN_DAYS)
    compromised = np.zeros(int(customer.max()) + 1, np.bool_)
    compromised[customer[train][fraud[train]]] = True
    parts = []
    for later in range(_TEST_DAYS):
        known_day = test_day + later - _DELAY_DAYS - 1
        compromised[customer[(day == known_day) & fraud]] = True
        rows = np.flatnonzero(day == test_day + later)
        parts.append(rows[~compromised[customer[rows]]])
    return train, np.concatenate(parts)


def _rows_between(dataset: Dataset, first_day: int, end_day: int) -> Int64:
    day = dataset.timestamp_ms // DAY_MS
    inside = (day >= first_day) & (day < end_day)
    return np.flatnonzero(inside & (dataset.label != UNKNOWN))


def _with_delay(config: TrainConfig) -> TrainConfig:
    """With months to train on, folds wait for their labels as a running system does."""
    cross_fit = config.cross_fit.model_copy(update={"label_delay": True, "first": 0.6})
    return config.model_copy(update={"cross_fit": cross_fit})


def _name(weeks: int) -> str:
    return f"{weeks}_weeks_earlier"


HANDBOOK = EvaluationProtocol(
    name="handbook",
    title="Fraud Detection Handbook, simulated card payments",
    folder="handbook_raw",
    read=read,
    splits=splits,
    means={
        ("earlier_weeks", "mean over 2, 4, 6 and 8 weeks earlier"): tuple(map(_name, _WEEKS_BACK))
    },
    tuned={
        # Within seven days no label is known yet, and all of them are when the test begins.
        "cross_fit": {"folds": 3, "first": 0.4, "label_delay": False},
    },
)
