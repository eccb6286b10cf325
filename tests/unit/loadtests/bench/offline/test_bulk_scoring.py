from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadtests.bench.offline.bulk_scoring import quality_ulb, speed

_ROWS = 1_500


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with the columns of ULB, in which the first one tells fraud."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(4)
    label = rng.random(_ROWS) < 0.1
    columns = {"Time": np.arange(_ROWS, dtype=np.float32)}
    columns |= {f"V{i}": rng.normal(size=_ROWS).astype(np.float32) for i in range(1, 29)}
    columns["V1"] += 4 * label.astype(np.float32)
    columns["Amount"] = rng.lognormal(size=_ROWS).astype(np.float32)
    path = folder / "ulb_creditcard/creditcard_f32.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({**columns, "Class": label.astype(np.int8)}), path)
    return folder


def test_speed_is_that_of_all_rows_by_three_models(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.bench.offline.bulk_scoring.ROWS_PER_PART", 200)
    found = speed(tmp_path, data, 450)
    assert (found["rows"], found["columns"], found["models"]) == (450, 30, 3)
    results = pq.read_table(tmp_path / "job/result.parquet")
    assert results["quorum_probability"].null_count == 0
    assert results.num_rows == 450
    assert min(found["scored_s"], found["scored_cpu_s"], found["finished_s"]) > 0
    assert found["worker_mib"] > 50


def test_quality_is_judged_by_labels_that_scoring_did_not_see(data: Path, tmp_path: Path) -> None:
    found = quality_ulb(tmp_path, data)
    assert found["rows"] == _ROWS // 2
    figures = found["figures"]
    alone = [f"score_ulb-{number}" for number in (1, 2, 3)]
    assert {"probability", *alone} <= set(figures)
    assert figures["probability"]["average_precision"] > 0.8
    assert figures["anomaly"]["average_precision"] < figures["probability"]["average_precision"]
