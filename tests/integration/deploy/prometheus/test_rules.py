"""promtool on the rules: they are read, and fire on what they should and on nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contracts.queries import alerts
from tests.contracts.root import ROOT

HERE = Path(__file__).parent
CASES = HERE / "alerts.test.yml"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return subprocess.run(
        [program, *map(str, arguments)], cwd=HERE, capture_output=True, text=True, timeout=120
    )


def test_the_configuration_is_sound() -> None:
    done = promtool("check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 rule files found" in done.stdout


def test_each_alert_fires_when_it_should() -> None:
    done = promtool("test", "rules", CASES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_case_in_which_it_fires() -> None:
    text = CASES.read_text()
    fires = set(re.findall(r"alertname: (\w+)\n\s+eval_time: \w+\n\s+exp_alerts:\n", text))
    fires |= set(re.findall(r'alertname="(\w+)"', text))
    assert fires == set(alerts())


def test_a_wrong_rule_is_noticed(tmp_path: Path) -> None:
    """The cases do fail: one threshold is moved."""
    for path in (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"):
        text = path.read_text().replace(
            "fraud_log_lag_seconds) > 60", "fraud_log_lag_seconds) > 100"
        )
        (tmp_path / path.name).write_text(text)
    cases = tmp_path / CASES.name
    cases.write_text(CASES.read_text().replace("../../../../deploy/prometheus/rules/", ""))
    done = promtool("test", "rules", cases)
    assert done.returncode == 1
    assert "alertname: LogLag," in done.stdout + done.stderr
