"""Arguments of the application."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from serve_app.app import DecisionsArgs


def test_an_unknown_argument_is_refused() -> None:
    DecisionsArgs.model_validate({})
    with pytest.raises(ValidationError):
        DecisionsArgs.model_validate({"lanes": 4})
