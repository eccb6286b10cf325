"""The predictions of a run on its test part, as a Parquet file for further analysis."""

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
from training.fit.fitted_run import FittedRun
from training.fit.scores import ENSEMBLE

SUFFIX = ".parquet"


def require_writable(path: Path) -> None:
    """Check before the training that the file can be written.

    Raises:
        InvalidInput: the name or the folder is unusable.
    """
    if path.suffix != SUFFIX:
        raise InvalidInput(f"{path}: predictions are Parquet: the name must end in {SUFFIX}")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InvalidInput(f"{path}: the folder {path.absolute().parent} does not exist")


def predictions(fitted_run: FittedRun) -> pa.Table:
    """One row for each row of the test part, in the order of time.

    Columns: `row_id`, text: the transaction id, or for a table the row number in its file, from 1.
    `timestamp`, UTC. `customer_id`, null if the set has no customers. `amount` in currency units,
    null where unknown. `is_fraud`. A float64 for each variant, its calibrated score in [0, 1].
    `probability`, float64 in [0, 1], of the plan. `decision`, text, of the plan.
    """
    test, plan = fitted_run.plan_fit.scores.test, fitted_run.plan_fit.plan
    dataset, rows = fitted_run.dataset, test.rows.tolist()
    ids = dataset.row_id
    variants = {name: scores for name, scores in test.scores.items() if name != ENSEMBLE}
    probability = test.scores[ENSEMBLE]
    nowhere = np.full(probability.size, np.nan)
    anomaly = nowhere if plan.ensemble.anomaly is None else test.scores[plan.ensemble.anomaly]
    decided = outcomes(plan.ensemble.thresholds, probability, anomaly)
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


def write_predictions(path: Path, fitted_run: FittedRun) -> None:
    """Write `predictions` atomically.

    Raises:
        OSError: the file cannot be written; an existing file stays.
    """
    body = io.BytesIO()
    pq.write_table(predictions(fitted_run), body, compression="zstd")
    replace_file(path, body.getvalue())
