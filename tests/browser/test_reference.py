"""The API reference in a real browser: it works under its own policy. Run by `make browser`."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest

from tests.browser.chromium import PROGRAM, Page, page_of
from tests.browser.conftest import served
from tests.contracts import front

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")

DECIDE = "#operations-decisions-decide"


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The app on a port, with the clock of today: the page sends payments of today."""
    monkeypatch.setattr(front, "NOW_MS", time.time_ns() // 1_000_000)
    async with served(front.Front().app) as url:
        yield url


@pytest.fixture
async def page(devtools: str) -> AsyncIterator[Page]:
    async with page_of(devtools) as page:
        yield page


def text_of(selector: str) -> str:
    return f"(document.querySelector({json.dumps(selector)})?.innerText ?? '')"


@pytest.mark.parametrize("width", [1280, 400])
async def test_a_payment_is_tried_out(page: Page, address: str, width: int) -> None:
    await page.open(f"{address}/docs/api", width)
    await page.click(f"{DECIDE} .opblock-summary-control")
    await page.until(f"{text_of(DECIDE + ' .example-call')}.includes('YOUR_KEY')")

    await page.click(".btn.authorize")
    await page.type(".modal-ux input[type=text]", str(front.KEY))
    await page.click(".modal-ux .auth.authorize")
    await page.click(".modal-ux .btn-done")
    await page.until(f"{text_of(DECIDE + ' .example-call')}.includes('{front.KEY}')")

    await page.click(f"{DECIDE} .try-out__btn")
    await page.click(f"{DECIDE} .execute")
    await page.until(f"document.querySelector('{DECIDE} .live-responses-table .response')")
    answer = await page.run(text_of(f"{DECIDE} .live-responses-table .response"))
    assert answer.startswith("200")
    assert '"risk_level"' in answer
    assert await page.run("document.documentElement.scrollWidth") <= width
    assert page.complaints == []


async def test_operations_are_filtered(page: Page, address: str) -> None:
    await page.open(f"{address}/docs/api")
    count = "document.querySelectorAll('.opblock').length"
    await page.until(f"{count} > 10")
    await page.type(".operation-filter-input", "labels")
    await page.until(f"{count} === 3")


@pytest.mark.parametrize("width", [1280, 400])
async def test_the_guide_fits_and_leads_to_an_operation(
    page: Page, address: str, width: int
) -> None:
    await page.open(f"{address}/docs", width)
    await page.until(
        "document.readyState === 'complete' && document.querySelector('#operations a')"
    )
    assert await page.run("document.documentElement.scrollWidth") <= width
    assert await page.run("getComputedStyle(document.querySelector('.top')).position") == "sticky"
    await page.click("#operations a[href$='/decide']")
    await page.until(f"document.querySelector('{DECIDE}.is-open')")
    assert page.complaints == []


async def test_violations_of_the_policy_are_seen(page: Page, address: str) -> None:
    await page.open(f"{address}/docs/api")
    await page.until("document.querySelector('.opblock')")
    script = "Object.assign(document.createElement('script'), {textContent: '1'})"
    await page.run(f"document.body.append({script})")
    await page.until("true")
    assert any("Content Security Policy" in complaint for complaint in page.complaints)
