"""Sums over a Prometheus exposition."""

from __future__ import annotations

import re
import urllib.request

_LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def scrape(url: str) -> str:
    """Return the text at `<url>/metrics`.

    Raises:
        OSError: nothing answers there.
    """
    with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def total(text: str, name: str, **labels: str) -> float:
    """Return the sum of the samples of a metric that have these labels; 0.0 if there are none."""
    found = 0.0
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[1] == name:
            own = dict(_LABEL.findall(match[2] or ""))
            if all(own.get(key) == value for key, value in labels.items()):
                found += float(match[3])
    return found


def mean(before: str, after: str, name: str, **labels: str) -> float:
    """Return the mean of what a histogram observed between two scrapes; 0.0 if it was nothing."""
    count = total(after, f"{name}_count", **labels) - total(before, f"{name}_count", **labels)
    added = total(after, f"{name}_sum", **labels) - total(before, f"{name}_sum", **labels)
    return added / count if count else 0.0
