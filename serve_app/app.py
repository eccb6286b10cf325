"""The `decisions` application: the import path in serve_config.yaml."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from ray.serve import Application

from deployments.combiner import Combiner
from deployments.features import FeatureFetch
from serve_app.ingress import Ingress


class DecisionsArgs(BaseModel):
    """Arguments of the application: none. Settings (settings.settings) configure it, the same for
    every replica. Unknown arguments are refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


def build(args: dict[str, Any]) -> Application:
    """Return the application: Ingress -> Combiner -> FeatureFetch.

    Args:
        args: see DecisionsArgs.
    """
    DecisionsArgs.model_validate(args)
    features = FeatureFetch.bind()  # type: ignore[attr-defined]
    combiner = Combiner.bind(features=features)  # type: ignore[attr-defined]
    application: Application = Ingress.bind(combiner=combiner)  # type: ignore[attr-defined]
    return application
