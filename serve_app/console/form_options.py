"""The options of the upload form, and the conversions of the form that confirms a match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bulk.jobs.options import JobOptions
from fraud.errors import InvalidInput
from references.matching.match import Match
from serve_app.console.views.match_view import proposals_of
from serve_app.gateway.jobs.options import read_options

_DIALECT: Final = ("delimiter", "decimal", "encoding")


def options_of(fields: Mapping[str, str]) -> JobOptions:
    """Return the options that a form says. A field that is empty stays at its default.

    A job of a form always waits for a confirmation.

    Raises:
        InvalidInput: an option is wrong; names every fault.
    """
    given = {name: value.strip() for name, value in fields.items() if value.strip()}
    by_rank = given.get("levels") == "review"
    if by_rank and "review" not in given:
        fault = ("/review", "missing", "Say how many rows can be reviewed")
        raise InvalidInput("the options cannot be used", (fault,))
    texts = ("models", "recalibrate", *(("review",) if by_rank else ("high", "medium")))
    document: dict[str, Any] = {name: given[name] for name in texts if name in given}
    dialect = {name: given[name] for name in _DIALECT if name in given}
    if dialect.get("delimiter") == "tab":
        dialect["delimiter"] = "\t"
    document["confirm"] = False
    document["model"] = _each(given.get("model", "").split(","))
    document["ignore"] = _each(given.get("ignore", "").splitlines())
    document["dialect"] = dialect
    return read_options(document, "", strict=False)


def conversions_of(values: Sequence[str], match: Match) -> dict[str, str]:
    """Return column of the file -> code of the conversion that the user ticked.

    Args:
        values: of the checkboxes, `Proposal.value`.
        match: what was proposed.

    Raises:
        InvalidInput: nobody proposed one of them, or two are ticked for one column.
    """
    proposed = {p.value: p for p in proposals_of(match)}
    chosen: dict[str, str] = {}
    for value in values:
        proposal = proposed.get(value)
        if proposal is None:
            fault = ("/options/convert", "invalid", "This change of unit is not proposed")
            raise InvalidInput("the changes of unit cannot be used", (fault,))
        if proposal.file_column in chosen:
            fault = ("/options/convert", "invalid", "Tick one change of unit for each column")
            raise InvalidInput("the changes of unit cannot be used", (fault,))
        chosen[proposal.file_column] = proposal.conversion.code
    return chosen


def _each(texts: Iterable[str]) -> list[str]:
    return [stripped for text in texts if (stripped := text.strip())]
