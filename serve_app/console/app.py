"""The `console` application: the import path in serve_config.yaml."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from ray.serve import Application

from serve_app.console.ingress import ConsoleIngress


class ConsoleArgs(BaseModel):
    """Arguments of the application: none. Settings (settings.settings) configure it, the same for
    every replica. Unknown arguments are refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


def build(args: dict[str, Any]) -> Application:
    """Return the application.

    Args:
        args: see ConsoleArgs.
    """
    ConsoleArgs.model_validate(args)
    application: Application = ConsoleIngress.bind()  # type: ignore[attr-defined]
    return application
