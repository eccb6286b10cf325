"""Examples of jobs are of the types that they show, and fit together."""

from __future__ import annotations

from typing import Any

import pytest

from serve_app.http.job_routes import JOB_ROUTES, examples
from serve_app.http.wire.match_schemas import MatchOut
from serve_app.http.wire.schemas import ProblemOut
from tests.contracts.examples import check_example, examples_of


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        *examples_of(JOB_ROUTES),
        (examples.MATCH, MatchOut),
        (examples.REFUSED, ProblemOut),
    ],
)
def test_examples_are_what_they_show(example: Any, kind: type) -> None:
    check_example(example, kind)


def test_a_job_is_as_far_as_its_rows() -> None:
    job = examples.JOB
    assert job["progress"] == pytest.approx(
        (job["rows_done"] + job["rows_failed"]) / job["rows_total"], abs=1e-5
    )
    left = job["rows_total"] - job["rows_done"] - job["rows_failed"]
    assert job["seconds_left"] == pytest.approx(left / job["rows_per_s"], abs=1e-3)


def test_rows_of_a_summary_add_up() -> None:
    stats = examples.SUMMARY["stats"]
    assert stats["high_risk"] + stats["medium_risk"] + stats["low_risk"] == stats["scored"]
    assert stats["fraud_rate"] == pytest.approx(stats["frauds"] / stats["scored"], abs=1e-6)
    assert stats["total"] == examples.JOB["rows_total"] - examples.JOB["rows_failed"]
    levels = examples.SUMMARY["details"]["levels"]
    named = {f"{name}_risk": rows for name, rows in levels.items() if name != "unscored"}
    assert named == {name: rows for name, rows in stats.items() if name.endswith("_risk")}
    assert levels["unscored"] == stats["total"] - stats["scored"]


def test_the_best_model_of_the_summary_is_that_of_the_match() -> None:
    best = examples.MATCH["models"][0]
    assert examples.MATCH["chosen"] == [best["reference"]]
    assert examples.SUMMARY["best_model"] == best["reference"]
    assert examples.SUMMARY["similarity_score"] == best["similarity"]
    for name in ("download_url", "errors_url"):
        assert examples.SUMMARY[name].startswith(f"/v1/jobs/{examples.JOB_ID}/")


@pytest.mark.parametrize("match", [examples.MATCH, examples.REFUSED["match"]])
def test_similarity_is_coverage_times_closeness(match: Any) -> None:
    for model in match["models"]:
        product = model["coverage"] * model["closeness"]
        assert model["similarity"] == pytest.approx(product, abs=0.005)


def test_the_column_that_a_refusal_names_has_no_counterpart() -> None:
    (model,) = examples.REFUSED["match"]["models"]
    (reason,) = model["reasons"]
    assert reason["code"] == "column-missing"
    found = {column["column"]: column["file_column"] for column in model["columns"]}
    assert found[reason["column"]] is None
    assert examples.REFUSED["detail"] == reason["detail"]
