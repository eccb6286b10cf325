"""The `jobs` application: the import path in serve_config.yaml."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from ray.serve import Application

from deployments.jobs.runner import JobRunner
from serve_app.jobs.ingress import JobsIngress


class JobsArgs(BaseModel):
    """Arguments of the application: none. Settings (settings.settings) configure it, the same for
    every replica. Unknown arguments are refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


def build(args: dict[str, Any]) -> Application:
    """Return the application: JobsIngress -> JobRunner.

    Args:
        args: see JobsArgs.
    """
    JobsArgs.model_validate(args)
    application: Application = JobsIngress.bind(runner=JobRunner.bind())  # type: ignore[attr-defined]
    return application
