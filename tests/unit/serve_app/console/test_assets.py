"""The files that pages load."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from serve_app.console import assets as module
from serve_app.console.assets import NAMES, assets, plain_name


def test_every_file_of_the_folder_is_served_and_no_other() -> None:
    folder = Path(module.__file__).parent / "static"
    assert {path.name for path in folder.iterdir()} == set(NAMES) == set(assets())


@pytest.mark.parametrize("name", NAMES)
def test_a_name_tells_the_bytes(name: str) -> None:
    asset = assets()[name]
    digest = hashlib.sha256(asset.body).hexdigest()[:12]
    stem, _, suffix = name.rpartition(".")
    assert asset.served == f"{stem}.{digest}.{suffix}"
    assert plain_name(asset.served) == name


@pytest.mark.parametrize("served", ["", "console.css", "../console.0.css", "a.b.c.css", "."])
def test_other_names_name_nothing(served: str) -> None:
    assert plain_name(served) not in assets()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    text = assets()[name].body.decode().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|url\(|@import|\beval\b|innerHTML", text)


TEXTS = [
    *(("ink", "paper"), ("ink", "card"), ("ink", "soft"), ("muted", "card"), ("muted", "paper")),
    *(("muted", "soft"), ("muted", "wait-soft"), ("blue", "card"), ("blue", "blue-soft")),
    *(("on-blue", "blue"), ("good", "good-soft"), ("bad", "bad-soft"), ("wait", "wait-soft")),
    *(("ink", "wait-soft"), ("good", "card")),
]
"""Colours of texts, and what they are written on."""


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_texts_have_contrast(scheme: int) -> None:
    colours = variables(scheme)
    for text, ground in TEXTS:
        ratio = contrast(colours[text], colours[ground])
        assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"  # WCAG 2.2, level AA


def variables(scheme: int) -> dict[str, str]:
    """Return name -> colour of the light (0) or the dark (1) scheme, six hex digits each."""
    css = assets()["console.css"].body.decode()
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    found = dict(re.findall(r"--([a-z-]+): #([0-9a-f]+);", block))
    return {n: "".join(c * 2 for c in v) if len(v) == 3 else v for n, v in found.items()}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG defines it, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
