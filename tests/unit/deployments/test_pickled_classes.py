"""Ray copies the class of each deployment into every replica.

`@serve.deployment` takes the class's place in its module, so the class travels by value, and with
it every global that its methods name. A constant may be copied. Anything with a state must not:
replicas would work on a copy that nobody else sees.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from ray import cloudpickle

from telemetry.tally import Tally

pytestmark = pytest.mark.slow

DEPLOYMENTS = {
    "Variant": "deployments.variant",
    "Combiner": "deployments.combiner",
    "FeatureFetch": "deployments.features",
    "Ingress": "serve_app.ingress",
    "JobRunner": "deployments.jobs.runner",
    "JobsIngress": "serve_app.jobs.ingress",
    "ConsoleIngress": "serve_app.console.ingress",
}


def test_replicas_do_not_copy_objects_with_state(tmp_path: Path) -> None:
    arguments = []
    for name, module in DEPLOYMENTS.items():
        body = cloudpickle.dumps(getattr(importlib.import_module(module), name).func_or_class)
        (tmp_path / name).write_bytes(body)
        arguments += [str(tmp_path / name), module]
    done = subprocess.run(
        [sys.executable, "-m", "tests.contracts.copied_globals", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""


def test_a_tally_cannot_be_copied() -> None:
    with pytest.raises(TypeError, match=r"metrics\.tally"):
        cloudpickle.dumps(Tally())
