"""The summary of a job as the page shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bulk.jobs.options import JobOptions
from bulk.scoring.finish import finish
from bulk.scoring.score_part import score_part
from serve_app.console.views.result_view import result_of
from tests.contracts.console_jobs import SUMMARY, done
from tests.contracts.scored_jobs import column, plan, tabular_model, write_job


def changed(**parts: Any) -> dict[str, Any]:
    return {**SUMMARY, **parts}


def test_the_whole_summary() -> None:
    view = result_of(done())
    assert (view.rows, view.unscored, view.models) == (
        120_000,
        10,
        "card-payments and bank-transfers",
    )
    assert [(level.name, level.rows) for level in view.levels] == [
        *(("high", 610), ("medium", 3_390), ("low", 115_990)),
    ]
    assert sum(level.share for level in view.levels) == 1
    assert view.rate is not None
    assert (view.rate.estimate, view.rate.training) == (0.0061, 0.0122)
    assert "<svg" in view.rate.picture
    assert view.quantiles[0] == ("50\xa0%", "0.0121")
    assert view.quantiles[-1] == ("highest", "0.9940")
    assert [opinion.agreement for opinion in view.opinions] == [("–", "0.83"), ("0.83", "–")]
    assert view.forced == ""
    assert len(view.anomalies) == 3


def test_recalibration_in_words() -> None:
    assert result_of(done()).recalibration == (
        "Probabilities were fitted to the share of fraud in this file."
        " The share of fraud is half of that in training."
    )
    told = {"done": False, "code": "few-rows", "reason": "There are too few rows."}
    assert result_of(done(summary=changed(recalibration=told))).recalibration == (
        "Probabilities are as the models say, not fitted to this file. There are too few rows."
    )


def test_without_an_interval_there_is_no_picture_of_it() -> None:
    rate = {"estimate": 0.01, "low": None, "high": None, "method": "mean-probability"}
    view = result_of(done(summary=changed(fraud_rate=rate)))
    assert view.rate is not None
    assert view.rate.picture == ""
    unknown = result_of(done(summary=changed(fraud_rate={"estimate": None})))
    assert unknown.rate is None


def test_levels_by_rank_have_no_thresholds() -> None:
    view = result_of(done(options=JobOptions(review=500)))
    assert view.by_rank
    assert 'class="mark"' not in view.histogram
    assert 'class="mark"' in result_of(done()).histogram


def test_an_empty_summary_shows_nothing() -> None:
    view = result_of(done(summary={}, match=None))
    assert (view.rows, view.models, view.rate, view.drift) == (0, "", None, ())
    assert view.histogram == view.levels_bar == ""
    assert view.doubts == ()


def test_the_summary_of_a_real_job_is_shown_whole(tmp_path: Path) -> None:
    one = tabular_model(tmp_path / "a", [column("x"), column("y")], weight=0.75, anomaly=True)
    other = tabular_model(
        tmp_path / "b", [column("x")], reference="other@ba9876543210", slope=0.5, weight=0.25
    )
    planned = plan([one, other], ["x", "y"])
    draw = np.random.default_rng(0)
    x, y = draw.normal(-3, 2, 2500), draw.normal(size=2500)
    paths = write_job(tmp_path / "job", pa.table({"x": x.astype(str), "y": y.astype(str)}))
    for number in paths.part_numbers:
        score_part(paths, number, planned)
    summary = json.loads(json.dumps(finish(paths, planned, JobOptions())))

    view = result_of(done(summary=summary))
    assert (view.rows, view.unscored) == (2500, 0)
    assert sum(level.rows for level in view.levels) == 2500
    assert view.rate is not None
    assert view.rate.training is not None
    assert view.rate.picture
    assert view.recalibration.count(".") >= 2
    assert "<rect" in view.histogram
    assert view.quantiles[-1][0] == "highest"
    assert [opinion.name for opinion in view.opinions] == ["cards", "other"]
    assert view.agreement == view.opinions[0].agreement[1] == "1.00"
    assert view.anomalies[0]["columns"][0]["column"] in ("x", "y")
    # What the tests of the pages take for a summary has the parts of a real one.
    assert SUMMARY.keys() == summary.keys()
    for name in ("rows", "levels", "scores", "fraud_rate", "recalibration"):
        assert SUMMARY[name].keys() == summary[name].keys()
    assert SUMMARY["anomalies"][0].keys() == summary["anomalies"][0].keys()
