"""From parts to a result: every row once, in order, with what the ensemble says."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.jobs.options import JobOptions
from bulk.scoring.finish import finish
from bulk.scoring.score_part import score_part
from tests.contracts.scored_jobs import column, plan, tabular_model, write_job


@pytest.fixture
def two_models(tmp_path):
    one = tabular_model(tmp_path / "a", [column("x"), column("y")], weight=0.75, anomaly=True)
    other = tabular_model(
        tmp_path / "b", [column("x")], reference="other@ba9876543210", slope=0.5, weight=0.25
    )
    return [one, other]


def table(n=2500, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(-3, 2, n), rng.normal(size=n)
    return pa.table({"id": [f"a{i}" for i in range(n)], "x": x.astype(str), "y": y.astype(str)})


def scored(folder, rows, planned, options=None):
    paths = write_job(folder / "job", rows)
    for number in paths.part_numbers:
        score_part(paths, number, planned)
    return paths, finish(paths, planned, options or JobOptions())


def test_the_result_has_the_columns_of_the_file_untouched_then_quorums(tmp_path, two_models):
    rows = table()
    paths, _ = scored(tmp_path, rows, plan(two_models, ["x", "y"]))
    result = pq.read_table(paths.result)
    assert result.select(rows.column_names).equals(rows)
    assert result.column_names[3:] == [
        "quorum_prediction",
        "quorum_probability",
        "quorum_risk_level",
        "quorum_anomaly",
        "quorum_anomaly_reference",
        "quorum_uncertainty",
        "quorum_score_cards",
        "quorum_score_other",
        "quorum_models",
    ]
    assert set(result["quorum_models"].to_pylist()) == {"cards@0123456789ab other@ba9876543210"}


def test_scores_are_those_of_the_models(tmp_path, two_models):
    rows = table()
    paths, _ = scored(tmp_path, rows, plan(two_models, ["x", "y"]))
    result = pq.read_table(paths.result)
    x = np.array(rows["x"].to_pylist(), np.float64)
    for name, slope in (("cards", 1.0), ("other", 0.5)):
        expected = 1 / (1 + np.exp(-slope * x))
        assert result[f"quorum_score_{name}"].to_numpy() == pytest.approx(expected, abs=1e-5)


def test_levels_follow_the_probabilities_shown(tmp_path, two_models):
    paths, summary = scored(tmp_path, table(), plan(two_models, ["x", "y"]))
    result = pq.read_table(paths.result)
    p = result["quorum_probability"].to_numpy()
    expected = np.where(p >= 0.5, "high", np.where(p >= 0.1, "medium", "low"))
    assert result["quorum_risk_level"].to_pylist() == expected.tolist()
    assert summary["levels"]["high"] == int((p >= 0.5).sum()) == summary["stats"]["frauds"]
    assert sum(summary["levels"].values()) == 2500 == sum(summary["scores"]["counts"])


def test_a_review_budget_is_met_exactly(tmp_path, two_models):
    options = JobOptions(review=17)
    paths, summary = scored(tmp_path, table(), plan(two_models, ["x", "y"]), options)
    level = np.array(pq.read_table(paths.result)["quorum_risk_level"].to_pylist())
    assert (level == "high").sum() == 17 == summary["levels"]["high"]


def test_finishing_again_gives_the_same(tmp_path, two_models):
    planned = plan(two_models, ["x", "y"])
    paths, first = scored(tmp_path, table(), planned)
    before = pq.read_table(paths.result)
    assert finish(paths, planned, JobOptions()) == first
    assert pq.read_table(paths.result).equals(before)


def test_the_summary_is_json_and_names_what_scored(tmp_path, two_models):
    _, summary = scored(tmp_path, table(), plan(two_models, ["x", "y"]))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["best_model"] == "cards@0123456789ab"
    assert summary["similarity_score"] == 0.9
    assert "isolation-forest" in summary["methods_used"]
    assert [m["reference"] for m in summary["models"]] == [
        "cards@0123456789ab",
        "other@ba9876543210",
    ]
    assert summary["models"][0]["agreement"]["other@ba9876543210"] == pytest.approx(1.0)


def test_the_strangest_rows_are_named_without_their_values(tmp_path, two_models):
    rows = table()
    x, y = rows["x"].to_pylist(), rows["y"].to_pylist()
    x[1700], y[1700] = "77712.25", "-87654.5"
    strange = pa.table({"id": rows["id"], "x": x, "y": y})
    _, summary = scored(tmp_path, strange, plan(two_models, ["x", "y"]))
    first = summary["anomalies"][0]
    assert (first["row"], first["line"]) == (1701, 1702)
    assert {one["column"] for one in first["columns"]} == {"x", "y"}
    assert len(summary["anomalies"]) == 20
    assert "77712" not in json.dumps(summary)


def test_a_column_of_the_file_keeps_its_name(tmp_path, two_models):
    rows = table(50).append_column("quorum_probability", pa.array(["mine"] * 50))
    paths, _ = scored(tmp_path, rows, plan(two_models, ["x", "y"]))
    result = pq.read_table(paths.result)
    assert set(result["quorum_probability"].to_pylist()) == {"mine"}
    assert pa.types.is_floating(result["quorum_probability_2"].type)


def test_two_versions_of_a_reference_have_a_column_each(tmp_path):
    models = [
        tabular_model(tmp_path / v, [column("x")], reference=f"cards@{v}", slope=s, weight=0.5)
        for v, s in (("aaaaaaaaaaaa", 1.0), ("bbbbbbbbbbbb", 2.0))
    ]
    paths, _ = scored(tmp_path, table(30), plan(models, ["x"]))
    names = pq.read_schema(paths.result).names
    assert {"quorum_score_cards@aaaaaaaaaaaa", "quorum_score_cards@bbbbbbbbbbbb"} <= set(names)


def test_a_part_without_rows_adds_nothing(tmp_path, two_models):
    planned = plan(two_models, ["x", "y"])
    paths = write_job(tmp_path / "job", table(1500))
    empty = pq.read_table(paths.part(1)).slice(0, 0)
    for number, part in ((2, pq.read_table(paths.part(1))), (1, empty), (3, empty)):
        pq.write_table(part, paths.part(number))
    for number in paths.part_numbers:
        score_part(paths, number, planned)
    summary = finish(paths, planned, JobOptions())
    assert pq.read_table(paths.result)["id"].to_pylist() == [f"a{i}" for i in range(1500)]
    assert summary["rows"] == {"total": 1500, "scored": 1500, "unscored": 0}
    assert len({one["row"] for one in summary["anomalies"]}) == 20


def test_a_file_without_rows_has_a_summary(tmp_path, two_models):
    planned = plan(two_models, ["x", "y"])
    paths = write_job(tmp_path / "job", table(1))
    for path in (paths.part(0), paths.sample):
        pq.write_table(pq.read_table(path).slice(0, 0), path)
    assert score_part(paths, 0, planned) == 0
    summary = finish(paths, planned, JobOptions())
    assert pq.read_table(paths.result).num_rows == 0
    assert json.dumps(summary, allow_nan=False)


def test_one_row(tmp_path, two_models):
    paths, summary = scored(tmp_path, table(1), plan(two_models, ["x", "y"]))
    assert pq.read_table(paths.result).num_rows == 1
    assert summary["recalibration"]["code"] == "few-rows"
    assert json.dumps(summary, allow_nan=False)


def test_a_part_without_scores_is_missed(tmp_path, two_models):
    planned = plan(two_models, ["x", "y"])
    paths = write_job(tmp_path / "job", table())
    score_part(paths, 0, planned)
    with pytest.raises(FileNotFoundError, match="part 1"):
        finish(paths, planned, JobOptions())
    assert not paths.result.exists()


def test_scores_of_another_plan_are_made_again(tmp_path, two_models):
    paths = write_job(tmp_path / "job", table(20))
    score_part(paths, 0, plan(two_models[:1], ["x", "y"]))
    both = plan(two_models, ["x", "y"])
    score_part(paths, 0, both)
    assert finish(paths, both, JobOptions())["rows"]["scored"] == 20


def test_rows_without_any_score_have_a_summary_all_the_same(tmp_path, two_models, monkeypatch):
    monkeypatch.setattr(
        "bulk.scoring.tabular_scorer.TabularScorer.score",
        lambda _, values: np.full(len(values), np.nan),
    )
    paths, summary = scored(tmp_path, table(30), plan(two_models, ["x", "y"]))
    assert summary["rows"] == {"total": 30, "scored": 0, "unscored": 30}
    assert json.dumps(summary, allow_nan=False)
    assert pq.read_table(paths.result)["quorum_probability"].null_count == 30
