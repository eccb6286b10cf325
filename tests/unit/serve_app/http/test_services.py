"""What requests may contain."""

from __future__ import annotations

from serve_app.gateway.gateway import GatewaySettings
from serve_app.http.services import RequestLimits
from settings.settings import Settings


def test_limits_default_to_the_settings() -> None:
    assert RequestLimits.of(Settings()) == RequestLimits()
    assert GatewaySettings.of(Settings()) == GatewaySettings()
