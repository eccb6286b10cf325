"""The page of an experiment report in a real browser, under the policy that it is sent with."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from experiments.reading.reader import Found, Wanted
from tests.browser.chromium import PROGRAM, Page, page_of
from tests.browser.conftest import served
from tests.contracts import front
from tests.contracts.experiment import END
from tests.contracts.experiment_found import found_of

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")

QUERY = f"from=2026-01-05T00:00:00Z&to={END.strftime('%Y-%m-%dT00:00:00Z')}&format=html"


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The address of a report."""
    app = front.Front()
    found = found_of(8_000)

    async def experiment(wanted: Wanted) -> Found:
        return found

    app.records.experiment = experiment  # type: ignore[attr-defined]
    async with served(app.app) as url:
        yield f"{url}/v1/experiments/default/report?{QUERY}"


@pytest.fixture
async def page(devtools: str) -> AsyncIterator[Page]:
    async with page_of(devtools) as page:
        await page.send("Network.enable")
        await page.send("Network.setExtraHTTPHeaders", headers={"x-api-key": str(front.KEY)})
        yield page


@pytest.mark.parametrize("width", [1280, 400])
async def test_the_page_is_styled_and_fits(page: Page, address: str, width: int) -> None:
    await page.open(address, width)
    await page.until("document.querySelectorAll('section').length === 4")
    assert await page.run("document.documentElement.scrollWidth") <= width
    # The style sheet passed the policy, and every picture has a size.
    assert await page.run("getComputedStyle(document.querySelector('section')).borderRadius") == (
        "12px"
    )
    sizes = "[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width)"
    assert await page.run(f"Math.min(...{sizes})") > 50
    # No picture draws beyond itself, and no letter is too small to read.
    assert await page.run("document.querySelectorAll('svg.track, svg.square').length") == 4
    letters = """[...document.querySelectorAll('svg.track text')].map(
        t => t.getBoundingClientRect().height)"""
    assert await page.run(f"Math.min(...{letters})") >= 10
    assert page.complaints == []
    if folder := os.environ.get("SCREENSHOTS"):
        await _picture(page, Path(folder) / f"experiment-{width}.png", width)


async def _picture(page: Page, path: Path, width: int) -> None:
    height = await page.run("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = await page.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))
