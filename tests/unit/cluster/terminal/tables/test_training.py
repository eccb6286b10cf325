"""Human-readable output of `quorum train`."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from cluster.terminal.tables.training import training_table


def document() -> dict[str, Any]:
    figures = {"average_precision": 0.8162, "roc_auc": 0.92314, "calibration_error": 0.0005}
    anomaly = {"average_precision": 0.343, "roc_auc": 0.9}
    parts = {"train": 78_351, "validation": 3, "calibration": 2, "test": 151_845}
    return {
        "window": {"test_start": "2018-05-30T00:00", "test_end": "2018-06-14T00:00"},
        "rows": parts,
        "frauds": dict.fromkeys(parts, 1),
        "plan": {
            "name": "default",
            "version": 3,
            "combiner": "mean",
            "members": [{"variant": "logistic", "weight": 1.0}],
        },
        "baseline": "logistic",
        "models": {
            "logistic": figures,
            "isolation-forest": anomaly,
            "ensemble": figures,
            "one-rule": anomaly,
        },
        "intervals": {
            "logistic": {"average_precision": [0.791, 0.845]},
            "isolation-forest": {},
            "ensemble": {"average_precision": [0.7911, 0.8449]},
            "one-rule": {"average_precision": [0.3, 0.4]},
        },
        "one_rule": "amount at least [5]",
        "findings": [{"code": "identical-rows", "sentence": "3 rows"}],
        "seconds": {"fit": 12.4},
        "report": "/home/reports/train-1.html",
    }


def shown(width: int) -> list[str]:
    console = Console(width=width, record=True, file=StringIO())
    console.print(training_table(document()))
    return console.export_text().splitlines()


def test_each_model_has_a_line_with_its_interval_and_the_ensemble_is_last() -> None:
    lines = shown(100)
    assert [line.split()[0] for line in lines if "(0." in line] == [
        "logistic", "one-rule", "ensemble",
    ]  # fmt: skip
    ensemble = next(line for line in lines if line.strip().startswith("ensemble"))
    assert ensemble.split()[1:4] == ["0.816", "(0.791–0.845)", "0.9231"]
    assert [line.split()[0] for line in lines if " ° " in line] == ["logistic", "one-rule"]
    anomaly = next(line for line in lines if "isolation-forest" in line)
    assert anomaly.split()[-1] == "-", "anomaly scores are no probabilities"


def test_the_notes_have_findings_and_the_path_of_the_report() -> None:
    text = "\n".join(shown(100))
    for said in (
        "one-rule: amount at least [5]",
        "trained on 78,351 (1 frauds)",
        "plan default v3: mean 1.00; 12 s",
        "leak guard: identical-rows: 3 rows",
        "report: /home/reports/train-1.html",
    ):
        assert said in text


def test_a_tenants_own_plan_says_whose_it_is() -> None:
    mine = document()
    mine["plan"]["members"][0]["variant"] = "mine/logistic"
    console = Console(record=True, width=100, file=StringIO())
    console.print(training_table(mine))
    assert "plan default v3 of tenant mine: mean 1.00; 12 s" in console.export_text()


def test_nothing_is_cut_off_on_a_narrow_terminal() -> None:
    assert "…" not in "\n".join(shown(80))
