"""Waiting for a roll-out, against a made-up dashboard."""

from pathlib import Path
from typing import Any

import pytest

from cluster.errors import CommandFailed
from cluster.node.deploy import (
    STAMP,
    read_config,
    reason,
    roll_out,
    stamped,
    wait_for_dashboard,
    wait_running,
)


class FakeDashboard:
    """Answers with one state after the other, then always with the last."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)

    def serve_details(self) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"applications": state}


def _app(status: str, message: str = "") -> dict[str, Any]:
    return {"status": status, "message": message, "deployments": {}}


def test_it_waits_for_every_application() -> None:
    running = {"a": _app("RUNNING"), "b": _app("RUNNING")}
    board = FakeDashboard({}, {"a": _app("RUNNING"), "b": _app("DEPLOYING")}, running)
    notes: list[str] = []
    details = wait_running(board, {"a", "b"}, timeout_s=10, note=notes.append)
    assert details["applications"] == running
    assert notes[-1] == "1 of 2 applications, b is next"


def test_other_applications_are_not_waited_for() -> None:
    board = FakeDashboard({"a": _app("RUNNING"), "else": _app("DEPLOY_FAILED", "no")})
    wait_running(board, {"a"}, timeout_s=1)


def test_a_failed_application_is_reported_with_the_end_of_its_traceback() -> None:
    message = "It failed. Error:\nTraceback (most recent):\n  x\nValueError: no champion\n"
    board = FakeDashboard({"a": _app("DEPLOY_FAILED", message)})
    with pytest.raises(CommandFailed, match="application a: ValueError: no champion"):
        wait_running(board, {"a"}, timeout_s=10)


def test_a_failed_application_stops_no_other() -> None:
    failed = _app("DEPLOY_FAILED", "no champion")
    board = FakeDashboard(
        {"a": failed, "b": _app("DEPLOYING")}, {"a": failed, "b": _app("RUNNING")}
    )
    notes: list[str] = []
    with pytest.raises(CommandFailed, match="application a: no champion") as raised:
        wait_running(board, {"a", "b"}, timeout_s=10, note=notes.append)
    assert notes == ["0 of 2 applications, 1 failed, b is next"]
    assert raised.value.hint.startswith("the 1 others run")


class Serve:
    """Carries out what is deployed at once."""

    url = "http://127.0.0.1:8265"

    def __init__(self, **applications: dict[str, Any]) -> None:
        self.applications = applications
        self.deployed: list[list[str]] = []
        self.silent = 0

    def answers(self) -> bool:
        self.silent -= 1
        return self.silent < 0

    def serve_details(self) -> dict[str, Any]:
        return {"applications": self.applications}

    def deploy(self, config: dict[str, Any]) -> None:
        names = [application["name"] for application in config["applications"]]
        self.deployed.append(names)
        self.applications = {name: self.applications.get(name, _app("RUNNING")) for name in names}


def _roll_out(serve: Serve, *names: str) -> None:
    config = {"applications": [{"name": name} for name in names]}
    roll_out(serve, "http://127.0.0.1:9", config, 0.2)  # type: ignore[arg-type]


def test_what_could_not_be_started_is_started_again() -> None:
    serve = Serve(a=_app("RUNNING"), b=_app("DEPLOY_FAILED", "no model"))
    with pytest.raises(CommandFailed, match="is not ready"):  # nothing answers at the URL
        _roll_out(serve, "a", "b")
    assert serve.deployed == [["a"], ["a", "b"]]
    assert serve.applications["b"]["status"] == "RUNNING"


def test_replicas_of_a_failed_roll_out_serve_on() -> None:
    failed = _app("DEPLOY_FAILED", "no model")
    failed["deployments"] = {"Variant": {"replicas": [{"state": "RUNNING"}]}}
    serve = Serve(a=_app("RUNNING"), b=failed)
    with pytest.raises(CommandFailed, match="application b: no model"):
        _roll_out(serve, "a", "b")
    assert serve.deployed == [["a", "b"]]


def test_a_dashboard_that_is_not_there_yet_is_waited_for() -> None:
    serve = Serve()
    serve.silent = 2
    wait_for_dashboard(serve)  # type: ignore[arg-type]
    assert serve.silent < 0


def test_a_dashboard_that_never_answers_is_one_line() -> None:
    serve = Serve()
    serve.silent = 1_000_000
    with pytest.raises(CommandFailed, match=r"the Ray dashboard at .* does not answer"):
        wait_for_dashboard(serve, 0.01)  # type: ignore[arg-type]


def test_a_removed_application_is_not_waited_for() -> None:
    board = FakeDashboard({"a": _app("DEPLOYING")}, {})
    with pytest.raises(CommandFailed, match="application a was removed"):
        wait_running(board, {"a"}, timeout_s=60)


def test_patience_ends() -> None:
    with pytest.raises(CommandFailed, match="not running after 0 s: a: not there"):
        wait_running(FakeDashboard({}), {"a"}, timeout_s=0.1)


def test_a_deployments_traceback_counts_for_more_than_the_applications_summary() -> None:
    application = {
        **_app("DEPLOY_FAILED", "Failed to update the deployments ['A']."),
        "deployments": {"A": {"message": "Traceback:\nRuntimeError: broken"}},
    }
    assert reason(application) == "RuntimeError: broken"


@pytest.mark.parametrize("text", ["a: [", "[]", "applications: []", "just words"])
def test_a_file_that_is_not_a_configuration_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text(text)
    with pytest.raises(CommandFailed):
        read_config(path)


def test_the_port_of_the_settings_overrides_the_file(tmp_path: Path) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text("http_options: {host: 0.0.0.0, port: 8000}\napplications: [{name: a}]")
    assert read_config(path, port=9)["http_options"] == {"host": "0.0.0.0", "port": 9}
    assert read_config(path)["http_options"]["port"] == 8000


def test_a_roll_out_that_was_given_up_is_tried_again() -> None:
    config = {
        "applications": [{"name": "a"}, {"name": "b", "runtime_env": {"env_vars": {"X": "1"}}}]
    }
    details = {"applications": {"a": _app("RUNNING"), "b": _app("DEPLOY_FAILED")}}
    again = stamped(config, details, "7")
    assert again["applications"][0] == {"name": "a"}
    assert again["applications"][1]["runtime_env"] == {"env_vars": {"X": "1", STAMP: "7"}}
    # From then on the stamp stays: without it the application would be rolled out anew.
    details["applications"]["b"] = {
        **_app("RUNNING"),
        "deployed_app_config": again["applications"][1],
    }
    assert stamped(config, details, "8") == again
