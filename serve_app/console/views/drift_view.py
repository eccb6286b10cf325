"""How columns of a file differ from training, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from serve_app.console.views.pictures import bar
from serve_app.console.views.words import percent

_FULL: Final = 0.5
"""The population stability index whose bar is full."""

_WORDS: Final = {
    "steady": ("little", "good"),
    "moderate": ("some", "wait"),
    "large": ("much", "bad"),
    "few": ("unknown", "plain"),
}
"""level of `models.drift` -> (word, style)."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """How a column differs from training.

    Attributes:
        name: in the file.
        of: in the model's training data.
        model: whose training it is, without its version.
        psi: population stability index; a dash if it is unknown.
        missing: shares of missing values in training and in the file, if they differ much; else "".
    """

    name: str
    of: str
    model: str
    psi: str
    bar: Markup
    word: str
    style: str
    missing: str


def drift_of(columns: Sequence[Mapping[str, Any]]) -> tuple[Drifted, ...]:
    """Return the columns of a summary, the largest drift first."""
    ranked = sorted(columns, key=lambda column: -(column.get("psi") or 0.0))
    return tuple(_drifted(column) for column in ranked)


def _drifted(column: Mapping[str, Any]) -> Drifted:
    psi = column.get("psi")
    level = str(column.get("level", ""))
    word, style = _WORDS.get(level, (level, "plain"))
    drawn = Markup("") if psi is None else bar(psi / _FULL, f"PSI {psi:.3f}", style)
    return Drifted(
        name=str(column.get("file_column") or column["column"]),
        of=str(column["column"]),
        model=str(column.get("reference", "")).partition("@")[0],
        psi="–" if psi is None else f"{psi:.3f}",
        bar=drawn,
        word=word,
        style=style,
        missing=_missing(column.get("missing_before"), column.get("missing")),
    )


def _missing(before: float | None, now: float | None) -> str:
    if before is None or now is None or abs(now - before) < 0.05:
        return ""
    return f"missing: {percent(before)} in training, {percent(now)} here"
