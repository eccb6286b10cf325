"""The console in a real browser, from signing in to the download. Run by `make browser`."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bulk.jobs.state import JobState
from tests.browser.chromium import PROGRAM, Page, page_of
from tests.browser.conftest import served
from tests.contracts.console import KEY, Console
from tests.contracts.console_jobs import NOW, SUMMARY, bad_match, done, job
from tests.contracts.waiting import until

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")

WIDTHS = [1280, 400]
ROWS = b"montant,pays\r\n12.50,FR\r\n"


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(tmp_path)


@pytest.fixture
async def address(console: Console) -> AsyncIterator[str]:
    async with served(console.site) as url:
        yield url


@pytest.fixture
async def page(devtools: str) -> AsyncIterator[Page]:
    async with page_of(devtools) as page:
        await page.send("Network.enable")
        yield page
        await page.send("Network.clearBrowserCookies")


async def sign_in(page: Page, address: str, key: str, width: int) -> None:
    await page.open(f"{address}/console", width)
    await page.type("#key", key)
    await page.click("button.main")
    # Modules have run once the page is complete.
    await page.until("document.readyState === 'complete' && document.querySelector('#upload')")


async def loaded(page: Page, path: str, condition: str = "true") -> None:
    await page.until(
        f"document.readyState === 'complete' && location.pathname.startsWith('{path}')"
        f" && {condition}"
    )


async def fits(page: Page, width: int, name: str) -> None:
    """Assert that nothing scrolls sideways and nothing was complained about."""
    await page.until(
        "document.readyState === 'complete' && [...document.images].every(i => i.naturalWidth > 0)"
    )
    assert await page.run("document.documentElement.scrollWidth") <= width
    styled = "getComputedStyle(document.querySelector('.card')).borderTopLeftRadius"
    assert await page.run(styled) == "14px"
    labelled = """[...document.querySelectorAll(
        'input:not([type=hidden]), select, textarea, progress')].every(
        one => one.labels.length || one.ariaLabel || one.ariaLabelledByElements?.length
            || one.hasAttribute('aria-labelledby'))"""
    assert await page.run(labelled)
    assert await page.run("document.querySelectorAll('h1').length") == 1
    await picture(page, f"console-{name}-{width}.png", width)


async def picture(page: Page, name: str, width: int) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder is None:
        return
    height = await page.run("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = await page.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    await asyncio.to_thread((Path(folder) / name).write_bytes, base64.b64decode(shot["data"]))


async def drop_file(page: Page, name: str, text: str) -> None:
    """Drop a file on the page, as a desktop would."""
    await page.run(
        f"""(() => {{
            const files = new DataTransfer();
            files.items.add(new File([{json.dumps(text)}], {json.dumps(name)}));
            document.getElementById("drop").dispatchEvent(
                new DragEvent("drop", {{ dataTransfer: files, bubbles: true, cancelable: true }}));
        }})()"""
    )


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_file_is_scored(page: Page, console: Console, address: str, width: int) -> None:
    await console.table.add(done(7, file_name="january.parquet"))
    await page.open(f"{address}/console", width)
    await page.until("document.querySelector('#key')")
    await fits(page, width, "sign-in")
    await sign_in(page, address, str(KEY), width)
    await page.run("document.querySelector('details.options').open = true")
    await fits(page, width, "score")

    await drop_file(page, "paiements.csv", ROWS.decode())
    assert await page.run("document.getElementById('file').files[0].name") == "paiements.csv"
    await page.click("#send")
    await loaded(page, "/console/score/", "document.querySelector('form[action$=confirm]')")
    assert console.examined[0][1::2] == ("paiements.csv", ROWS)
    await fits(page, width, "match")

    await page.click("input[name=convert]")
    await page.click("form[action$=confirm] button.main")
    await loaded(page, "/console/score/", "document.querySelector('#progress')")
    (job_id,) = (j.job_id for j in console.table.jobs.values() if j.file_name == "paiements.csv")
    assert console.table.jobs[job_id].options.convert == {"montant": "minor-to-major"}

    console.table.change(
        job_id, state=JobState.SCORING, rows_total=120_000, rows_done=48_000, rows_per_s=9_000.0
    )
    await page.until("document.querySelector('[data-field=done]').textContent === '48,000'")
    assert await page.run("document.getElementById('bar').value") == 0.4
    await fits(page, width, "progress")

    console.finish(job_id, summary=SUMMARY, rows_failed=12, finished_at=NOW)
    await page.until("document.querySelector('.downloads')")
    await loaded(page, "/console/score/")
    await fits(page, width, "result")
    text = "fetch(document.querySelector('.downloads a').href).then(r => r.text())"
    got = await page.send("Runtime.evaluate", expression=text, awaitPromise=True)
    assert "exceptionDetails" not in got, got
    assert got["result"]["value"].startswith("montant,quorum_probability\n")
    assert page.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
async def test_a_file_that_fits_nothing(
    page: Page, console: Console, address: str, width: int
) -> None:
    await sign_in(page, address, str(KEY), width)
    console.match = bad_match()
    await drop_file(page, "loans.csv", "a,b")
    await page.click("#send")
    await page.until("document.querySelector('.reasons')")
    await fits(page, width, "refused")
    assert console.table.jobs == {}
    # Chromium notes every answer from 400 on.
    assert all("422" in complaint for complaint in page.complaints)


async def test_a_wrong_option_keeps_the_other_choices(
    page: Page, console: Console, address: str
) -> None:
    await sign_in(page, address, str(KEY), 1280)
    await drop_file(page, "a.csv", "x")
    await page.run("document.getElementById('medium').value = '0.9'")
    await page.click("#send")
    await page.until("document.querySelector('#fault .fault')")
    assert "below high" in await page.run("document.querySelector('#fault').innerText")
    assert await page.run("document.getElementById('medium').value") == "0.9"
    assert await page.run("document.getElementById('file').files.length") == 1


async def test_a_job_is_cancelled(page: Page, console: Console, address: str) -> None:
    running = await console.table.add(job(5, state=JobState.SCORING, rows_total=10))
    await sign_in(page, address, str(KEY), 1280)
    await page.open(f"{address}/console/score/{running.job_id}")
    await page.click("form[action$=cancel] button")
    await until(lambda: console.table.jobs[running.job_id].cancel)
    console.table.change(running.job_id, state=JobState.CANCELLED)
    await page.until("document.body?.innerText.includes('was stopped')")


async def test_a_server_that_is_away_is_told(page: Page, console: Console, address: str) -> None:
    running = await console.table.add(job(5, state=JobState.SCORING, rows_total=10))
    await sign_in(page, address, str(KEY), 1280)
    await page.open(f"{address}/console/score/{running.job_id}")
    await page.until("document.querySelector('#progress')")
    await page.send(
        "Network.emulateNetworkConditions",
        offline=True,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )
    await page.until("!document.getElementById('trouble').hidden")
    await page.send(
        "Network.emulateNetworkConditions",
        offline=False,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )
    await page.until("document.getElementById('trouble').hidden")


async def test_nothing_is_asked_of_other_hosts(page: Page, console: Console, address: str) -> None:
    finished = await console.table.add(done(7))
    await sign_in(page, address, str(KEY), 1280)
    await page.open(f"{address}/console/score/{finished.job_id}")
    await page.until("document.readyState === 'complete' && document.querySelector('svg.chart')")
    names = await page.run(
        "JSON.stringify(performance.getEntriesByType('resource').map(e => e.name))"
    )
    assert json.loads(names)
    assert all(name.startswith(f"{address}/console/static/") for name in json.loads(names))


async def test_without_scripts_everything_works(
    page: Page, console: Console, address: str, tmp_path: Path
) -> None:
    await page.send("Emulation.setScriptExecutionDisabled", value=True)
    await sign_in(page, address, str(KEY), 1280)
    file = tmp_path / "a.csv"
    await asyncio.to_thread(file.write_bytes, ROWS)
    root = (await page.send("DOM.getDocument"))["root"]["nodeId"]
    node = (await page.send("DOM.querySelector", nodeId=root, selector="#file"))["nodeId"]
    await page.send("DOM.setFileInputFiles", nodeId=node, files=[str(file)])
    await page.click("#send")
    await loaded(page, "/console/score/", "document.querySelector('form[action$=confirm]')")
    await page.click("form[action$=confirm] button.main")
    await loaded(page, "/console/score/", "document.querySelector('#progress')")
    (job_id,) = console.table.jobs
    console.finish(job_id)
    # The page loads itself anew.
    await page.until("document.querySelector('.downloads')")
    assert page.complaints == []
