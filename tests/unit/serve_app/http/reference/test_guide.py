"""The guide: every code has a meaning, every call works as pasted."""

from __future__ import annotations

import html
import json
import re

import pytest

from features.degraded import WITHOUT_HISTORY
from fraud.access.scopes import SCOPES
from fraud.access.tiers import TIERS
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.label import SOURCES
from fraud.payment.transaction import CHANNELS, TYPES
from fraud.reasons.catalogue import CODES
from serve_app.http.problems import KINDS
from serve_app.http.reference.guide import guide
from serve_app.http.services import RequestLimits
from tests.contracts.front import Front, payment
from tests.contracts.root import ROOT


def calls_of_the_guide() -> list[str]:
    return [
        html.unescape(call) for call in re.findall("<pre>(.*?)</pre>", guide(RequestLimits()), re.S)
    ]


def calls_of_the_documentation() -> list[str]:
    text = (ROOT / "docs" / "integrating.md").read_text(encoding="utf-8")
    return re.findall("```\n(.*?)```", text, re.S)


@pytest.mark.parametrize("calls", [calls_of_the_guide(), calls_of_the_documentation()])
async def test_calls_work_as_they_are_written(calls: list[str]) -> None:
    async with Front().client() as client:
        bodies = [re.search(r"-d '(\{.*\})'", call, re.S) for call in calls]
        found = [(call, body[1]) for call, body in zip(calls, bodies, strict=True) if body]
        assert len(found) >= 3
        for call, body in found:
            path = re.search(r"\$QUORUM(\S+)", call)
            assert path is not None
            text = body.replace("'$(date -u +%FT%TZ)'", "2026-03-01T12:00:00Z")
            text = text.replace("[ ... ]", json.dumps([payment()]))
            sent = await client.post(path[1], json=json.loads(text))
            assert sent.status_code in (200, 201), sent.text


def test_it_says_how_to_send_the_key_and_what_every_word_means() -> None:
    text = guide(RequestLimits())
    words = [*OUTCOMES, *RISK_LEVELS, *TYPES, *CHANNELS, *CODES, *SOURCES, *KINDS, *TIERS, *SCOPES]
    for word in (*words, *WITHOUT_HISTORY, "X-API-Key", "Authorization: Bearer", "Retry-After"):
        assert word in text, word


def test_it_shows_the_limits_that_are_set() -> None:
    text = guide(RequestLimits(max_batch_rows=7, max_body_bytes=3 * 1024, max_past_days=21))
    for limit in ("<td>7</td>", "<td>3 KiB</td>", "<td>21 days</td>"):
        assert limit in text
