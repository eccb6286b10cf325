from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from training.evaluate.page import Facts
from training.evaluate.results import RunResults, results_of
from training.fit.fitted_run import FittedRun

_VOID = {"meta", "br", "link", "img", "input", "hr"}
_LOADS = {"src", "href", "action", "data", "poster", "srcset"}


@dataclass(frozen=True)
class Found:
    severity: str
    code: str
    sentence: str
    allowed: bool = False


class Page(HTMLParser):
    """The elements that a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name.split(":")[-1] in _LOADS and value:
                self.loads.append(value)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="session")
def results(fitted_run: FittedRun) -> RunResults:
    same = Found("warn", "identical-rows", "<script>3</script> rows & more are the same")
    leak = Found("refuse", "tells-label", "scenario tells the label", allowed=True)
    return results_of(fitted_run, {"fit": 12.3}, [same, leak])


@pytest.fixture(scope="session")
def html(results: RunResults) -> str:
    facts = Facts(
        run_id="0a1b2c",
        made_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        role="challenger",
        versions={"xgboost": "1f2e3d"},
        environment={"seed": 7, "numpy": "2.4"},
        seconds={"fit": 12.3},
    )
    return results.page(facts)


def test_the_page_is_well_formed_and_its_ids_are_its_own(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert [i for i, n in Counter(page.ids).items() if n > 1] == []
    assert page.tags["h1"] == 1
    assert {link[1:] for link in page.loads if link.startswith("#")} <= set(page.ids)


def test_the_page_needs_nothing_else(html: str) -> None:
    page = Page(html)
    assert page.tags["script"] == page.tags["link"] == page.tags["iframe"] == 0
    assert [link for link in page.loads if not link.startswith("#")] == []
    assert re.findall(r"url\((?!#)", html) == []
    assert "@import" not in html
    assert "//" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def test_the_page_shows_what_was_found(html: str, results: RunResults) -> None:
    text = Page(html).text
    for model, figures in results.evaluation.models.items():
        assert model in text
        assert f"{figures['average_precision']:.4f}" in text
    for said in ("0a1b2c", "challenger", "2026-01-02 03:04 UTC", "1f2e3d", "12.3", "By week"):
        assert said in text
    assert "<script>3</script> rows & more are the same" in text, "as text, not as markup"
    assert "refuse, allowed on purpose" in text
    assert "<b>travel</b>" in text
    assert {"fraud", "xgboost", "amount"} <= set(text.split())


def test_the_page_shows_subsets_and_the_cascade(html: str, results: RunResults) -> None:
    text, plan_fit = Page(html).text, results.fitted_run.plan_fit
    assert set(plan_fit.subset_errors) == {s.name for s in plan_fit.subsets}
    for error in plan_fit.subset_errors.values():
        assert f"{error:.5f}" in text
    assert "Cascade." in text
    assert plan_fit.cascade is not None
    if plan_fit.cascade.plan is not None:
        assert "cascade_plan.json" in text
        assert f"{plan_fit.cascade.figures['test']['average_precision']:.4f}" in text
    else:
        assert plan_fit.cascade.reason in text


def test_both_themes_colour_the_pictures(html: str, results: RunResults) -> None:
    assert "prefers-color-scheme:dark" in html
    used = set(re.findall(r"var\(--([a-z0-9]+)\)", html))
    for theme in re.findall(r":root\{(.*?)\}", html, flags=re.DOTALL):
        assert used <= set(re.findall(r"--([a-z0-9]+):", theme))
    body = html.split("</style>")[1]
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", body) == []


def test_pictures_are_the_same_every_time(fitted_run: FittedRun, results: RunResults) -> None:
    again = results_of(fitted_run, {})
    assert dict(again.pictures) == dict(results.pictures)
    expected = {"precision-recall", "roc", "scores", "weekly", "reliability", "importance"}
    assert expected | {"contribution", "effect-amount", "effect-category-code"} <= set(
        results.pictures
    )
    for svg in results.pictures.values():
        assert svg.rstrip().endswith("</svg>")


def test_a_page_states_whether_the_guard_ran(fitted_run: FittedRun, results: RunResults) -> None:
    facts = Facts("x", datetime(2026, 1, 2, tzinfo=UTC), "champion", {})
    plain = RunResults(fitted_run, results.evaluation, results.pictures)
    assert "Leak guard: did not run." in Page(plain.page(facts)).text
    clean = RunResults(fitted_run, results.evaluation, results.pictures, {}, [])
    assert "Leak guard: no finding." in Page(clean.page(facts)).text
