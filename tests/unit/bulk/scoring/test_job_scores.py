"""Scores of all parts, in the order of the file."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bulk.scoring.job_scores import read_job
from bulk.scoring.score_part import score_part
from tests.contracts.scored_jobs import column, plan, tabular_model, write_job


@pytest.fixture
def job(tmp_path):
    model = tabular_model(tmp_path / "m", [column("x")], anomaly=True, label_rate=0.0)
    planned = plan([model], ["x"])
    rows = [str(v) for v in np.linspace(-5, 5, 25)]
    paths = write_job(tmp_path / "job", pa.table({"x": rows}), rows_per_part=10)
    for number in reversed(paths.part_numbers):
        score_part(paths, number, planned)
    return paths, planned


def test_parts_follow_each_other(job):
    found = read_job(*job)
    assert found.starts.tolist() == [0, 10, 20]
    (score,) = found.models.values()
    assert score == pytest.approx(1 / (1 + np.exp(-np.linspace(-5, 5, 25))), abs=1e-6)
    assert found.probability == pytest.approx(score, abs=1e-6)
    assert list(found.measures) == ["anomaly", "anomaly_reference", "uncertainty"]


def test_counts_are_summed_over_parts(job):
    paths, planned = job
    (counts,) = read_job(paths, planned).counts.values()
    # The profile of the tests has no quantiles: no drift is counted.
    assert counts.shape == (0, 11)


def test_a_training_without_fraud_has_a_prior_all_the_same(job):
    assert 0 < read_job(*job).prior < 1e-5


def test_a_missing_part_is_named(job):
    paths, planned = job
    paths.scores(1).unlink()
    with pytest.raises(FileNotFoundError, match="part 1"):
        read_job(paths, planned)
