"""Rolls out a Serve configuration, and waits until Serve has carried it out."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.errors import CommandFailed
from cluster.node.dashboard import Dashboard
from cluster.terminal.console import step

READY_PATH = "/v2/health/ready"
STAMP = "QUORUM_ROLL_OUT"
"""Variable of an application's replicas that makes Serve repeat a roll-out that failed."""
_POLL_S = 0.25
_DASHBOARD_S = 60.0
# An application that fails its health checks has this long to recover.
_UNHEALTHY_S = 15.0
_UNREACHABLE = "see `serve status` and the logs of the Ray dashboard"


def read_config(path: Path, **http_options: str | int) -> dict[str, Any]:
    """Read a Serve configuration file.

    Args:
        path: YAML, as for `serve deploy`.
        http_options: `host` and `port`, which replace those of the file.

    Raises:
        CommandFailed: the file is missing, not YAML, or has no applications.
    """
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CommandFailed(
            f"no Serve configuration at {path}", "give its path with --config"
        ) from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:200]
        raise CommandFailed(f"{path} is not YAML: {reason}", "correct the file") from error
    if not isinstance(config, dict) or not config.get("applications"):
        raise CommandFailed(f"{path} has no applications", "see serve_config.yaml of the project")
    config["http_options"] = {**(config.get("http_options") or {}), **http_options}
    return config


def roll_out(
    dashboard: Dashboard, url: str, config: dict[str, Any], timeout_s: float
) -> dict[str, Any]:
    """Deploy a configuration and wait until Quorum at `url` is ready. Returns Serve's details.

    Serve restarts only applications whose configuration has changed.

    Raises:
        CommandFailed: see `wait_running` and `wait_ready`.
    """
    names = {str(application["name"]) for application in config["applications"]}
    with step("Deploy") as running:
        _forget_failed(dashboard, config, timeout_s)
        config = stamped(config, dashboard.serve_details(), str(time.time_ns()))
        dashboard.deploy(config)
        details = wait_running(dashboard, names, timeout_s=timeout_s, note=running.note)
        running.result = f"{len(names)} applications"
    with step("Ready") as running:
        wait_ready(url, timeout_s=timeout_s, note=running.note)
    return details


def wait_for_dashboard(dashboard: Dashboard, timeout_s: float = _DASHBOARD_S) -> None:
    """Wait until the dashboard answers: that of a head that has just been started, or has taken
    over another's state, may not yet.

    Raises:
        CommandFailed: it does not answer in time.
    """
    deadline = time.monotonic() + timeout_s
    while not dashboard.answers():
        if time.monotonic() > deadline:
            raise CommandFailed(
                f"the Ray dashboard at {dashboard.url} does not answer",
                "`quorum up` starts everything; `quorum status` shows what is running",
            )
        time.sleep(_POLL_S)


def _forget_failed(dashboard: Dashboard, config: dict[str, Any], timeout_s: float) -> None:
    """Delete the applications that could not be started, so that Serve tries again: it does not
    retry one whose configuration has not changed. Replicas that run stay."""
    applications = dashboard.serve_details().get("applications", {})
    failed = {
        str(wanted["name"])
        for wanted in config["applications"]
        if _never_started(applications.get(wanted["name"], {}))
    }
    if not failed:
        return
    rest = [wanted for wanted in config["applications"] if wanted["name"] not in failed]
    dashboard.deploy({**config, "applications": rest})
    deadline = time.monotonic() + timeout_s
    while failed.intersection(dashboard.serve_details().get("applications", {})):
        if time.monotonic() > deadline:
            raise CommandFailed(f"{min(failed)} cannot be removed to start again", _UNREACHABLE)
        time.sleep(_POLL_S)


def stamped(config: dict[str, Any], details: dict[str, Any], stamp: str) -> dict[str, Any]:
    """Return a configuration with which Serve tries again what it gave up.

    Serve gives up a roll-out that fails, with some replicas of before still running, and does not
    retry a configuration that has not changed. A stamp in the environment of an application changes
    it. A stamp from before stays, or the application would be rolled out anew.

    Args:
        details: Serve's, from before.
        stamp: a new stamp.
    """
    found = details.get("applications", {})
    return {
        **config,
        "applications": [
            _with_stamp(wanted, found.get(wanted["name"], {}), stamp)
            for wanted in config["applications"]
        ],
    }


def _with_stamp(wanted: dict[str, Any], there: dict[str, Any], new: str) -> dict[str, Any]:
    before = (there.get("deployed_app_config") or {}).get("runtime_env") or {}
    stamp = (before.get("env_vars") or {}).get(STAMP)
    if there.get("status") == "DEPLOY_FAILED":
        stamp = new
    if stamp is None:
        return wanted
    environment = wanted.get("runtime_env") or {}
    variables = {**(environment.get("env_vars") or {}), STAMP: stamp}
    return {**wanted, "runtime_env": {**environment, "env_vars": variables}}


def _never_started(application: dict[str, Any]) -> bool:
    return application.get("status") == "DEPLOY_FAILED" and not any(
        replica.get("state") == "RUNNING"
        for deployment in application.get("deployments", {}).values()
        for replica in deployment.get("replicas", ())
    )


def wait_running(
    dashboard: Dashboard,
    names: set[str],
    *,
    timeout_s: float,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Wait until every application of `names` is RUNNING. One that fails stops no other.

    Args:
        note: called with the progress, several times a second.

    Returns:
        Serve's details at that moment.

    Raises:
        CommandFailed: an application failed, or does not run in time; names it and the reason, and
            says whether the others run.
    """
    deadline = time.monotonic() + timeout_s
    unhealthy_since: dict[str, float] = {}
    seen: set[str] = set()
    while True:
        details = dashboard.serve_details()
        applications = {
            name: application
            for name, application in details.get("applications", {}).items()
            if name in names
        }
        waiting = sorted(
            name for name in names if applications.get(name, {}).get("status") != "RUNNING"
        )
        if not waiting:
            return details
        failed = _failed(applications, unhealthy_since)
        if failed and failed.issuperset(waiting):
            raise _failure(applications, waiting, len(names) - len(waiting))
        _refuse_vanished(seen, set(applications))
        if time.monotonic() > deadline:
            if failed:
                raise _failure(applications, sorted(failed), len(names) - len(waiting))
            why = "; ".join(f"{name}: {reason(applications.get(name, {}))}" for name in waiting)
            raise CommandFailed(f"not running after {timeout_s:.0f} s: {why}", _UNREACHABLE)
        pending = [name for name in waiting if name not in failed]
        trouble = f", {len(failed)} failed" if failed else ""
        note(
            f"{len(names) - len(waiting)} of {len(names)} applications{trouble},"
            f" {pending[0]} is next"
        )
        time.sleep(_POLL_S)


def _failed(applications: dict[str, Any], unhealthy_since: dict[str, float]) -> set[str]:
    """Return the applications that will not run by themselves."""
    now = time.monotonic()
    failed = set()
    for name, application in applications.items():
        status = application.get("status")
        if status != "UNHEALTHY":
            unhealthy_since.pop(name, None)
        elif now - unhealthy_since.setdefault(name, now) >= _UNHEALTHY_S:
            failed.add(name)
        if status == "DEPLOY_FAILED":
            failed.add(name)
    return failed


def _failure(applications: dict[str, Any], failed: list[str], running: int) -> CommandFailed:
    why = "; ".join(f"application {name}: {reason(applications[name])}" for name in failed)
    others = f"the {running} others run; " if running else ""
    return CommandFailed(why, others + _UNREACHABLE)


def _refuse_vanished(seen: set[str], there: set[str]) -> None:
    """Fail if an application has disappeared: Serve was shut down, or something else deployed."""
    gone = sorted(seen - there)
    if gone:
        raise CommandFailed(
            f"application {gone[0]} was removed during the roll-out",
            "`quorum up` starts it again",
        )
    seen |= there


def reason(application: dict[str, Any]) -> str:
    """Return why an application is not RUNNING: the last line of its newest traceback."""
    parts = [application, *application.get("deployments", {}).values()]
    messages = [message for part in parts if (message := str(part.get("message") or "").strip())]
    tracebacks = [message for message in messages if "Traceback" in message]
    if not messages:
        return str(application.get("status", "not there"))
    lines = [line.strip() for line in (tracebacks or messages)[-1].splitlines() if line.strip()]
    return lines[-1][:300]


def wait_ready(url: str, *, timeout_s: float, note: Callable[[str], None] = lambda _: None) -> None:
    """Wait until Quorum answers 200 at its readiness path.

    Raises:
        CommandFailed: it is not ready in time.
    """
    deadline = time.monotonic() + timeout_s
    state = "no answer yet"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url + READY_PATH, timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            state = f"status {error.code}"
        except OSError as error:
            state = str(getattr(error, "reason", error))
        note(state)
        time.sleep(_POLL_S)
    raise CommandFailed(
        f"{url}{READY_PATH} is not ready: {state}", "`quorum status` shows what is running"
    )
