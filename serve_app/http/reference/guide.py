"""The guide: prose from guide.html, facts from the modules that define them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

from fraud.access.keys import FRESH_S
from fraud.access.scopes import DEFAULT_SCOPES, SCOPES
from fraud.access.tiers import TIERS, Quota
from fraud.combine.risk import BAND
from fraud.label import SOURCES
from fraud.payment import metadata
from fraud.payment.limits import MAX_ID_CHARS
from fraud.payment.transaction import CHANNELS
from fraud.reasons.catalogue import CATALOGUE
from serve_app.gateway.search import DEFAULT_SPAN_DAYS, MAX_PAGE, MAX_SPAN_DAYS
from serve_app.http.problems import KINDS
from serve_app.http.services import RequestLimits
from serve_app.http.wire import meanings
from serve_app.http.wire.examples import DECISION

_SHOWN = ("decision", "risk_level", "risk_score", "probability")
_GUIDE = Template((files("serve_app.http.reference") / "guide.html").read_text(encoding="utf-8"))


def guide(limits: RequestLimits) -> str:
    """Return the guide as HTML."""
    return _GUIDE.substitute(
        revoked=f"{FRESH_S:g}",
        scopes=_table(("scope", "what the key may do"), SCOPES.items()),
        default_scopes=_scope_list(DEFAULT_SCOPES),
        answer=escape(_answer()),
        outcomes=_outcomes(),
        stages=_table(("stage", "what happened"), meanings.STAGES.items()),
        types=_table(("type", "use it for"), meanings.TYPES.items()),
        channels=", ".join(f"<code>{name}</code>" for name in CHANNELS),
        reasons=_table(("code", "about"), ((r.code, r.meaning) for r in CATALOGUE)),
        degraded=_table(("reason", "meaning"), _degraded()),
        sources=_table(("source", "meaning"), SOURCES.items()),
        problems=_problems(),
        sizes=_table(("limit", "at most"), _sizes(limits), code=False),
        tiers=_tiers(),
    )


def prose(text: str) -> str:
    """Return text as HTML, with code in place of backticks."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(" ".join(text.split())))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return an HTML table; the cells are HTML already."""
    titles = "".join(f"<th>{title}</th>" for title in head)
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><tr>{titles}</tr>{body}</table></div>'


def _table(head: Iterable[str], rows: Iterable[tuple[str, str]], *, code: bool = True) -> str:
    def first(text: str) -> str:
        return f"<code>{escape(text)}</code>" if code else prose(text)

    return table(head, ((first(name), prose(text)) for name, text in rows))


def _answer() -> str:
    """Return a decision as JSON, cut down to what a client reads first."""
    (reason,) = DECISION["reasons"]
    members = ", ".join(f'"{name}": {json.dumps(DECISION[name])}' for name in _SHOWN)
    return (
        f'{{{members},\n "reasons": [{{"code": "{reason["code"]}",\n'
        f'   "detail": "{reason["detail"]}", ...}}], ...}}'
    )


def _outcomes() -> str:
    outcomes = zip(meanings.OUTCOMES.items(), meanings.RISK_LEVELS, strict=True)
    rows = (
        (f"<code>{name}</code>", f"<code>{level}</code>", _scores(index), prose(text))
        for index, ((name, text), level) in enumerate(outcomes)
    )
    return table(("decision", "risk_level", "risk_score", "what to do"), rows)


def _scores(outcome: int) -> str:
    return f"{BAND * outcome}–{BAND * (outcome + 1) - 1}"


def _scope_list(scopes: Iterable[str]) -> str:
    *most, last = (f"<code>{scope}</code>" for scope in scopes)
    return f"{', '.join(most)} and {last}"


def _degraded() -> Iterable[tuple[str, str]]:
    yield from meanings.DEGRADED.items()
    for status, meaning in meanings.VARIANT_STATUSES.items():
        yield f"variant_{status}:<name>", f"{meaning.capitalize()}. The other models decided."


def _problems() -> str:
    rows = (
        (str(status), f"<code>{slug}</code>", escape(title), prose(meanings.PROBLEMS[slug]))
        for slug, (status, title) in KINDS.items()
    )
    note = "<p>Each <code>type</code> is <code>urn:quorum:problem:</code> and the kind.</p>"
    return note + table(("status", "kind", "title", "what to do"), rows)


def _sizes(limits: RequestLimits) -> Iterable[tuple[str, str]]:
    rows = f"{limits.max_batch_rows:,}"
    yield "transactions in a batch", rows
    yield "a request body", _kibibytes(limits.max_body_bytes)
    yield "the request body of a batch", _kibibytes(limits.max_batch_body_bytes)
    yield "an id", f"{MAX_ID_CHARS} characters"
    yield (
        "`metadata`",
        f"{metadata.MAX_KEYS} keys of {metadata.MAX_KEY_CHARS} characters, values of "
        f"{metadata.MAX_VALUE_CHARS} characters, {_kibibytes(metadata.MAX_BYTES)} in all",
    )
    yield "age of a payment", f"{limits.max_past_days:,} days"
    yield "`timestamp` in the future", f"{limits.max_future_s:,} seconds"
    yield (
        "a list of decisions",
        f"{MAX_SPAN_DAYS} days ({DEFAULT_SPAN_DAYS} by default), {MAX_PAGE} to a page",
    )


def _kibibytes(size: int) -> str:
    return f"{size // 1024:,} KiB" if size >= 1024 else f"{size} bytes"


def _tiers() -> str:
    rows = (
        (f"<code>{tier.name}</code>", _quota(tier.key), _quota(tier.customer))
        for tier in TIERS.values()
    )
    return table(("tier", "one key", "one customer"), rows)


def _quota(quota: Quota | None) -> str:
    if quota is None:
        return "no limit"
    seconds = "second" if quota.window_s == 1 else f"{quota.window_s} seconds"
    return f"{quota.rows:,} in any {seconds}"
