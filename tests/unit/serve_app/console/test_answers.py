"""Rendered pages and their headers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from serve_app.console import answers
from serve_app.console.answers import POLICY, asset_url, go_to, page

TEMPLATES = sorted((Path(answers.__file__).parent / "templates").glob("*.j2"))


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert set(rules.values()) == {"'self'", "'none'"}
    assert {"frame-ancestors", "base-uri", "form-action", "script-src"} <= rules.keys()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_keep_to_the_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:|https?://|\|\s*safe", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_a_page_is_not_kept_and_escapes() -> None:
    title = "<script>alert(1)</script>"
    answer = page("problem", 418, title=title, detail="", errors=(), request_id="")
    assert answer.status_code == 418
    assert answer.headers["cache-control"] == "no-store"
    text = bytes(answer.body).decode()
    assert title not in text
    assert "&lt;script&gt;" in text


def test_a_redirection_is_a_get_within_the_console() -> None:
    answer = go_to("/score")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/score")


def test_files_are_named_by_their_digest() -> None:
    assert re.fullmatch(r"/console/static/console\.[0-9a-f]{12}\.css", asset_url("console.css"))
