"""The label of a file: the column that says so by its name, or the one that the caller names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from data.guess.column import Column
from data.guess.column_names import label_confidence
from data.guess.label import LabelGuess, meanings
from training.auto.unclear import Unclear

LOWEST_RATE, HIGHEST_RATE = 0.0001, 0.5
"""Share of fraud among labelled rows, outside of which a label is doubted."""

_NAMES_FRAUD = 5
_NAMES_A_LABEL = 4
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class WantedLabel:
    """What the caller says about the label.

    Attributes:
        column: its name.
        fraud: the text that means fraud, all others mean genuine; None: the texts say it.
    """

    column: str
    fraud: str | None = None

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> WantedLabel:
        """Read `COLUMN` or `COLUMN=TEXT`; a column's name may hold `=` itself.

        >>> WantedLabel.parse("status=bad", ["status"])
        WantedLabel(column='status', fraud='bad')
        """
        column, sign, fraud = text.rpartition("=")
        if text in names or not sign:
            return cls(text)
        return cls(column, fraud)


def choose_label(columns: Sequence[Column], wanted: WantedLabel | None) -> LabelGuess:
    """Return the label of a file, with what its first rows say about the texts.

    Raises:
        Unclear: no column, or more than one, looks like a label; or there is no column of the
            wanted name.
    """
    column = _chosen(columns) if wanted is None else _named(columns, wanted.column)
    fraud, genuine, certain = meanings(column.values, column.filled < len(column.cells))
    return LabelGuess(column, fraud, genuine, certain)


def label_meaning(
    column: str, counts: Mapping[str, int], wanted: WantedLabel | None
) -> tuple[list[str], list[str]]:
    """Return the texts of a label that mean fraud, and those that mean genuine.

    Args:
        counts: text -> rows of the whole file; "" counts empty cells.
        wanted: what the caller says.

    Raises:
        Unclear: the texts are not two, do not say which one is fraud, or give a rate that labels
            of fraud do not have.
    """
    texts = sorted((text for text in counts if text), key=lambda text: (-counts[text], text))
    choose = f"--label {column}=TEXT names the one that means fraud"
    if wanted is not None and wanted.fraud is not None:
        fraud, genuine = _as_wanted(column, wanted.fraud, texts, counts)
    else:
        fraud, genuine = _as_written(column, texts, counts, choose)
    positive = sum(counts[text] for text in fraud)
    rate = positive / (positive + sum(counts.get(text, 0) for text in genuine))
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise Unclear(
            f"{column}: {rate:.3%} of the rows would be fraud ({', '.join(map(repr, fraud))});"
            f" between {LOWEST_RATE:.2%} and {HIGHEST_RATE:.0%} is expected",
            f"if another text means fraud, {choose}; else add rows of the rarer kind",
        )
    return fraud, genuine


def _chosen(columns: Sequence[Column]) -> Column:
    rated = [(label_confidence(c.name), c) for c in columns if c.is_flag]
    for enough in (_NAMES_FRAUD, _NAMES_A_LABEL):
        found = [column for points, column in rated if points >= enough]
        if len(found) == 1:
            return found[0]
        if found:
            raise Unclear(
                f"several columns could be the label: {_listed([c.name for c in found])}",
                "--label COLUMN chooses one; --without COLUMN leaves another out",
            )
    two = [c.name for c in columns if c.is_flag and len(c.values) == 2]
    hint = f" (columns with two values: {_listed(two)})" if two else ""
    raise Unclear(f"no column is named like a label{hint}", "--label COLUMN names it")


def _named(columns: Sequence[Column], wanted: str) -> Column:
    for column in columns:
        if column.name == wanted:
            return column
    names = [column.name for column in columns]
    near = get_close_matches(wanted, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"it has {_listed(names)}"
    raise Unclear(f"the file has no column {wanted}: {hint}", "--label names a column of the file")


def _as_wanted(
    column: str, fraud: str, texts: list[str], counts: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    if fraud not in counts:
        raise Unclear(
            f"{column} never holds {fraud!r}; it holds {_shown(texts, counts)}",
            f"--label {column}=TEXT names the text that means fraud",
        )
    others = [text for text in texts if text != fraud]
    if not others:  # a mark, or an empty cell
        if not counts.get(""):
            raise Unclear(f"{column} holds one value in every row", "--label names another column")
        others = [""]
    return [fraud], others


def _as_written(
    column: str, texts: list[str], counts: Mapping[str, int], choose: str
) -> tuple[list[str], list[str]]:
    empty = counts.get("", 0)
    if not texts:
        raise Unclear(f"{column} is empty", "--label names another column")
    shown = _shown(texts, counts)
    if len(texts) == 1 and empty:
        raise Unclear(
            f"{column} holds {shown} or nothing ({empty:,}): an empty cell may mean genuine or"
            " unknown",
            choose + ", and empty cells are genuine then",
        )
    if len(texts) == 1:
        raise Unclear(f"{column} holds one value in every row: {shown}",
                      "a label needs rows of both kinds; --label names another column")  # fmt: skip
    if len(texts) > 2:
        raise Unclear(f"{column} holds more than two values: {shown}", choose)
    fraud, genuine, certain = meanings(texts, bool(empty))
    if not certain:
        raise Unclear(f"{column} holds {shown}: which one means fraud is not clear", choose)
    if not fraud or not genuine:
        raise Unclear(f"{column} holds {shown}, which mean the same", choose)
    return fraud, genuine


def _shown(texts: list[str], counts: Mapping[str, int]) -> str:
    """The texts of a label with their rows; of a column that cannot be one, only how many."""
    if len(texts) > _SHOWN:
        return f"{len(texts):,} different texts"
    return ", ".join(f"{text!r} ({counts[text]:,})" for text in texts)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
