"""The pages of the repository: their links lead somewhere, and their lines wrap."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.contracts.root import ROOT

WIDTH = 100

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`([a-z_]+/[\w./-]+\.[a-z]+)`")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def pages() -> list[str]:
    """Every Markdown file that is not ignored."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [page for page in found if (ROOT / page).exists()]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What `#...` may name in a page: its headings, as GitHub turns them into anchors."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(
            " ", "-"
        )
        for heading in headings
    )


@pytest.mark.parametrize("page", pages())
def test_relative_links_lead_to_files_and_headings(page: str) -> None:
    text = FENCE.sub("", (ROOT / page).read_text())
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (ROOT / page).parent / name if name else ROOT / page
        assert file.exists(), f"{page} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{page} links to {target}"


@pytest.mark.parametrize("page", sorted({*pages()} - {"CHANGELOG.md"}))
def test_paths_in_pages_exist(page: str) -> None:
    """Of what is in the repository: `fraud/plan.py`, say. The changelog is about the past."""
    for path in PATH.findall(FENCE.sub("", (ROOT / page).read_text())):
        if (ROOT / path.partition("/")[0]).is_dir():
            assert (ROOT / path).exists(), f"{page} names {path}"


@pytest.mark.parametrize("page", pages())
def test_lines_wrap(page: str) -> None:
    """Tables, code, and what cannot be broken (an address, a link) may be longer."""
    for number, line in enumerate(FENCE.sub(blank, (ROOT / page).read_text()).splitlines(), 1):
        if len(line) <= WIDTH or line.startswith(("|", "    ")):
            continue
        longest = max(map(len, re.split(r"\s+", LINK.sub(lambda link: "x" * len(link[0]), line))))
        assert longest > WIDTH - 20, f"{page}:{number} has {len(line)} characters"


def blank(fence: re.Match[str]) -> str:
    """As many empty lines as the code had, so that numbers of lines stay."""
    return "\n" * fence[0].count("\n")
