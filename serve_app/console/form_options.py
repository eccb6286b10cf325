"""The options of the upload form, and the conversions of the form that confirms a match."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fraud.errors import InvalidInput
from references.matching.match import Match
from serve_app.console.views.match_view import proposals_of

_DELIMITERS: Final = {"tab": "\t"}


def options_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the options that a form says, as `serve_app.gateway.job_options` reads them.

    A field that is empty stays at its default. A job of a form always waits for a confirmation.

    Raises:
        InvalidInput: a number is no number.
    """
    options: dict[str, Any] = {"confirm": False}
    faults: list[tuple[str, str, str]] = []
    given = {name: value.strip() for name, value in fields.items() if value.strip()}
    by_rank = given.get("levels") == "review"
    numbers: dict[str, type[int] | type[float]] = {"models": int}
    numbers |= {"review": int} if by_rank else {"high": float, "medium": float}
    for name, read in numbers.items():
        if name in given:
            try:
                options[name] = read(given[name])
            except ValueError:
                what = "a whole number" if read is int else "a number"
                faults.append((f"/options/{name}", "invalid", f"`{name}`: expected {what}"))
    if by_rank and "review" not in given:
        detail = "Say how many rows can be reviewed"
        faults.append(("/options/review", "missing", detail))
    if faults:
        raise InvalidInput("the options cannot be used", tuple(faults))
    if "recalibrate" in given:
        options["recalibrate"] = given["recalibrate"]
    if "model" in given:
        options["model"] = [name.strip() for name in given["model"].split(",") if name.strip()]
    if "ignore" in given:
        lines = fields["ignore"].splitlines()
        options["ignore"] = [line.strip() for line in lines if line.strip()]
    dialect = {n: given[n] for n in ("delimiter", "decimal", "encoding") if n in given}
    if dialect:
        if "delimiter" in dialect:
            dialect["delimiter"] = _DELIMITERS.get(dialect["delimiter"], dialect["delimiter"])
        options["dialect"] = dialect
    return options


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
