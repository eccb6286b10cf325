"""Arguments of the application."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from serve_app.jobs.app import JobsArgs


def test_an_unknown_argument_is_refused() -> None:
    JobsArgs.model_validate({})
    with pytest.raises(ValidationError):
        JobsArgs.model_validate({"workers": 4})
