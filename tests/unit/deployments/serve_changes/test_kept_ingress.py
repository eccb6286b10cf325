"""An application keeps its ingress while a new version of it is built."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any
from unittest.mock import Mock

import pytest
from ray.serve._private.application_state import ApplicationState
from ray.serve.schema import APIType

from deployments.serve_changes import kept_ingress


class _Info:
    """What Serve knows about a deployment, as far as it matters here."""

    ingress_request_router = False

    def __init__(self, ingress: bool) -> None:
        self.ingress = ingress


@pytest.fixture
def application() -> Any:
    """An application that runs."""
    made = ApplicationState.__new__(ApplicationState)
    made._name = "decisions"
    made._ingress_deployment_name = None
    made._ingress_request_router_deployment_name = None
    made._update_status = Mock()
    _set(made, {"Ingress": _Info(True), "Combiner": _Info(False)})
    assert made._ingress_deployment_name == "Ingress"
    return made


def _set(application: Any, infos: Any, **options: Any) -> None:
    application._set_target_state(
        deployment_infos=infos,
        api_type=APIType.DECLARATIVE,
        code_version=None,
        target_config=None,
        **options,
    )


def test_while_it_is_built_the_old_ingress_is_known(application: Any) -> None:
    application._clear_target_state_and_store_config(None)
    assert application._ingress_deployment_name == "Ingress"
    _set(application, {"Front": _Info(True)})
    assert application._ingress_deployment_name == "Front"


def test_a_deleted_application_has_none(application: Any) -> None:
    _set(application, {}, deleting=True)
    assert application._ingress_deployment_name is None


def test_serve_itself_forgets_it(application: Any) -> None:
    """Otherwise this module can go."""
    kept_ingress._set_target_state(
        application,
        None,
        api_type=APIType.DECLARATIVE,
        code_version=None,
        target_config=None,
    )
    assert application._ingress_deployment_name is None


def test_workers_that_import_serve_have_it() -> None:
    code = (
        "import deployments.serve_changes.after_serve, sys;"
        "assert 'ray' not in sys.modules;"
        "from ray.serve._private.application_state import ApplicationState;"
        "print(ApplicationState._set_target_state.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "deployments.serve_changes.kept_ingress"
    assert "deployment_infos" in inspect.signature(kept_ingress._set_target_state).parameters
