"""Hands a Serve configuration to the cluster and waits until it is carried out."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.errors import CommandFailed
from cluster.node.dashboard import Dashboard

READY_PATH = "/v2/health/ready"
_POLL_S = 0.25
# An application that fails its health checks may recover; one that does not in this time has not.
_UNHEALTHY_S = 15.0
_UNREACHABLE = "see `serve status` and the logs of the Ray dashboard"


def read_config(path: Path, **http_options: str | int) -> dict[str, Any]:
    """A Serve configuration file.

    Args:
        path: YAML, as `serve deploy` takes it.
        http_options: `host` and `port` that replace those of the file, if given.

    Raises:
        CommandFailed: it is missing, not YAML, or names no application.
    """
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CommandFailed(f"no Serve configuration at {path}", "name it with --config") from error
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())[:200]
        raise CommandFailed(f"{path} is not YAML: {said}", "correct it") from error
    if not isinstance(config, dict) or not config.get("applications"):
        raise CommandFailed(f"{path} names no applications", "see serve_config.yaml of the project")
    config["http_options"] = {**(config.get("http_options") or {}), **http_options}
    return config


def wait_running(
    dashboard: Dashboard,
    names: set[str],
    *,
    timeout_s: float,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Wait until every application of `names` is RUNNING.

    Args:
        note: told how far it is, several times a second.

    Returns:
        Serve's details at that moment.

    Raises:
        CommandFailed: an application failed, or is not there in time; says which and why.
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
        _refuse_failed(applications, unhealthy_since)
        _refuse_vanished(seen, set(applications))
        if time.monotonic() > deadline:
            why = "; ".join(f"{name}: {reason(applications.get(name, {}))}" for name in waiting)
            raise CommandFailed(f"not running after {timeout_s:.0f} s: {why}", _UNREACHABLE)
        note(f"{len(names) - len(waiting)} of {len(names)} applications, {waiting[0]} is next")
        time.sleep(_POLL_S)


def _refuse_failed(applications: dict[str, Any], unhealthy_since: dict[str, float]) -> None:
    now = time.monotonic()
    for name, application in applications.items():
        status = application.get("status")
        if status != "UNHEALTHY":
            unhealthy_since.pop(name, None)
        elif now - unhealthy_since.setdefault(name, now) < _UNHEALTHY_S:
            continue
        if status in ("DEPLOY_FAILED", "UNHEALTHY"):
            raise CommandFailed(f"application {name}: {reason(application)}", _UNREACHABLE)


def _refuse_vanished(seen: set[str], there: set[str]) -> None:
    """Somebody shut Serve down, or deployed something else, while we wait: it will not come."""
    gone = sorted(seen - there)
    if gone:
        raise CommandFailed(
            f"application {gone[0]} was removed while it was deployed",
            "`quorum up` starts it again",
        )
    seen |= there


def reason(application: dict[str, Any]) -> str:
    """Why an application is not RUNNING, in one line: what its newest traceback ends with."""
    parts = [application, *application.get("deployments", {}).values()]
    said = [message for part in parts if (message := str(part.get("message") or "").strip())]
    tracebacks = [message for message in said if "Traceback" in message]
    if not said:
        return str(application.get("status", "not there"))
    lines = [line.strip() for line in (tracebacks or said)[-1].splitlines() if line.strip()]
    return lines[-1][:300]


def wait_ready(url: str, *, timeout_s: float, note: Callable[[str], None] = lambda _: None) -> None:
    """Wait until the front answers 200 at its readiness path.

    Raises:
        CommandFailed: it does not in time.
    """
    deadline = time.monotonic() + timeout_s
    said = "no answer yet"
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url + READY_PATH, timeout=5) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            said = f"status {error.code}"
        except OSError as error:
            said = str(getattr(error, "reason", error))
        note(said)
        time.sleep(_POLL_S)
    raise CommandFailed(
        f"{url}{READY_PATH} is not ready: {said}", "`quorum status` says what is up"
    )
