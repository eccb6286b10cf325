"""Arguments of the application."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from serve_app.console.app import ConsoleArgs
from serve_app.console.session import PATH


def test_an_unknown_argument_is_refused() -> None:
    ConsoleArgs.model_validate({})
    with pytest.raises(ValidationError):
        ConsoleArgs.model_validate({"title": "x"})


def test_the_application_is_served_under_its_own_path() -> None:
    config = yaml.safe_load(Path("serve_config.yaml").read_text())
    (console,) = (app for app in config["applications"] if app["name"] == "console")
    assert console["import_path"] == "serve_app.console.app:build"
    assert console["route_prefix"] == PATH
    assert [one["name"] for one in console["deployments"]] == ["ConsoleIngress"]
