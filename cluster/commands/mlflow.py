"""`quorum mlflow`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cluster.terminal.console import print_line


def mlflow(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
) -> None:
    """Serve MLflow's web page on this machine: training runs, figures, registered models.

    It listens on the loopback address and asks for no password, so everybody with an account on
    this machine can open it. Ctrl-C ends it.
    """
    from cluster.node.node import LOOPBACK
    from cluster.node.ports import require_free
    from settings.settings import Settings

    settings = Settings.load()
    if settings.tracking_uri.startswith(("http://", "https://")):
        print_line(f"MLflow already runs at {settings.tracking_uri}")
        return
    require_free({port: "MLflow's page"})
    settings.home.mkdir(parents=True, exist_ok=True)
    print_line(f"MLflow: http://{LOOPBACK}:{port} (Ctrl-C ends it)")
    command = [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--host", LOOPBACK, "--port", str(port), "--workers", "1"),
        *("--default-artifact-root", (settings.home / "mlruns").absolute().as_uri()),
    ]
    environment = {
        **os.environ,
        # Not an argument: it may hold a password, and everybody on this machine sees arguments.
        "MLFLOW_BACKEND_STORE_URI": settings.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    # Replaces this process, so that Ctrl-C and SIGTERM reach MLflow itself.
    os.execve(sys.executable, command, environment)  # noqa: S606 — our own interpreter, no shell
