"""The predictions of a run on its test part, as a file for further analysis."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fraud.combine.thresholds import outcomes
from fraud.decision import OUTCOMES
from fraud.errors import InvalidInput
from stores.whole_file import replace_file
from training.fit.evaluated import ENSEMBLE
from training.fit.trained import Trained

SUFFIX = ".parquet"


def require_writable(path: Path) -> None:
    """Refuse, before hours of training, a file that could not be written.

    Raises:
        InvalidInput: its name or its folder.
    """
    if path.suffix != SUFFIX:
        raise InvalidInput(f"{path}: predictions are written as Parquet: let it end in {SUFFIX}")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InvalidInput(f"{path}: the folder {path.absolute().parent} is not there")


def predictions(trained: Trained) -> pa.Table:
    """One row for each row of the test part, in the order of time.

    Columns: `row_id`, text: the transaction id, or of a table the number of the row in its file,
    from 1. `timestamp`, UTC. `customer_id`, null in a set without customers. `amount`, in currency
    units, null where unknown. `is_fraud`. One float64 for each variant: its calibrated score in
    [0, 1]. `probability`, float64 in [0, 1], of the plan. `decision`, text, of the plan.
    """
    test, plan = trained.judgement.evaluated.test, trained.judgement.plan
    dataset, rows = trained.dataset, test.rows.tolist()
    ids = dataset.row_id
    variants = {name: scores for name, scores in test.scores.items() if name != ENSEMBLE}
    probability = test.scores[ENSEMBLE]
    nowhere = np.full(probability.size, np.nan)
    anomaly = nowhere if plan.anomaly is None else test.scores[plan.anomaly]
    decided = outcomes(plan.thresholds, probability, anomaly)
    return pa.table(
        {
            "row_id": pa.array([str(i + 1) if ids is None else ids[i] for i in rows], pa.string()),
            "timestamp": pa.array(test.timestamp_ms, pa.timestamp("ms", tz="UTC")),
            "customer_id": pa.array(test.customer_id, pa.string())
            if test.customer_id is not None
            else pa.nulls(len(rows), pa.string()),
            "amount": pa.array(test.amount, pa.float64(), from_pandas=True),
            "is_fraud": pa.array(test.fraud > 0),
            **{name: pa.array(scores, pa.float64()) for name, scores in variants.items()},
            "probability": pa.array(probability, pa.float64()),
            "decision": pa.array([OUTCOMES[i].value for i in decided.tolist()], pa.string()),
        }
    )


def write_predictions(path: Path, trained: Trained) -> None:
    """Write `predictions` in one piece.

    Raises:
        OSError: it cannot be written; a file that is there stays.
    """
    body = io.BytesIO()
    pq.write_table(predictions(trained), body, compression="zstd")
    replace_file(path, body.getvalue())
