"""The console as its replica builds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serve_app.console import ingress
from serve_app.console.session import PATH
from tests.contracts.built_front import FakeBackend, lane, live, stand_in
from tests.contracts.front import KEY
from tests.contracts.job_front import JobFront

# Below what Serve makes of it.
ConsoleIngress = ingress.ConsoleIngress.func_or_class.__wrapped__  # type: ignore[attr-defined]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[FakeBackend]:
    made = FakeBackend(JobFront(tmp_path))
    with stand_in(ingress, made):
        yield made


async def test_pages_take_the_lane_that_was_opened(backend: FakeBackend) -> None:
    await ConsoleIngress().__serve_build_asgi_app__()
    async with lane() as browser:
        form = await browser.get(f"{PATH}/sign-in")
        assert (await browser.get("/-/healthz")).status_code == 299
        sent = {"key": str(KEY)}
        signed_in = await browser.post(
            f"{PATH}/sign-in", data=sent, headers={"origin": "http://front"}
        )
        files = await browser.get(f"{PATH}/score")
    assert form.status_code == 200
    assert len(form.headers.get_list("x-request-id")) == 1
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, f"{PATH}/score")
    assert files.status_code == 200
    assert "Files of acme" in files.text


async def test_what_stands_behind_it_is_closed_with_the_app(backend: FakeBackend) -> None:
    site = await ConsoleIngress().__serve_build_asgi_app__()
    assert not backend.is_closed
    await live(site)
    assert backend.is_closed
