"""Checks of what the sender of a file said: columns, conversions and models that exist."""

from __future__ import annotations

from collections.abc import Sequence

from fraud.errors import InvalidInput
from references.matching.columns.payments import FIELDS
from references.matching.columns.units import CONVERSIONS
from references.matching.sample import FileSample, MatchOptions
from references.reference import StoredReference

_Wrong = tuple[str, str, str]


def check_options(
    file: FileSample, references: Sequence[StoredReference], options: MatchOptions
) -> None:
    """Raise unless every name in the options exists.

    Raises:
        InvalidInput: with the pointer of each wrong field.
    """
    names = {profile.name for profile in file.profiles}
    errors = [
        *_columns(names, references, options),
        *_conversions(names, options),
        *_models(references, options),
        *(
            (f"/ignore/{i}", "unknown_column", "the file has no such column")
            for i, name in enumerate(options.ignore)
            if name not in names
        ),
    ]
    if errors:
        raise InvalidInput("the options name things that are not there", tuple(errors))


def named(references: Sequence[StoredReference], options: MatchOptions) -> set[str]:
    """Return the ids of the references that the sender named."""
    return {r.id for r in references if {r.id, r.reference.name} & set(options.model)}


def _columns(
    names: set[str], references: Sequence[StoredReference], options: MatchOptions
) -> list[_Wrong]:
    targets = {c.name for r in references for c in r.reference.columns} | set(FIELDS)
    found: list[_Wrong] = []
    taken: set[str] = set()
    for name, target in options.columns.items():
        pointer = f"/columns/{_escaped(name)}"
        if name not in names:
            found.append((pointer, "unknown_column", "the file has no such column"))
        elif target and target not in targets:
            found.append((pointer, "unknown_column", "no reference has a column of this name"))
        elif target and target in taken:
            found.append((pointer, "taken_twice", "another column has the same counterpart"))
        taken.add(target)
    return found


def _conversions(names: set[str], options: MatchOptions) -> list[_Wrong]:
    found: list[_Wrong] = []
    for name, code in options.convert.items():
        pointer = f"/convert/{_escaped(name)}"
        if name not in names:
            found.append((pointer, "unknown_column", "the file has no such column"))
        elif code not in CONVERSIONS:
            known = ", ".join(CONVERSIONS)
            found.append((pointer, "unknown_conversion", f"expected one of: {known}"))
    return found


def _models(references: Sequence[StoredReference], options: MatchOptions) -> list[_Wrong]:
    known = {r.reference.name for r in references} | {r.id for r in references}
    return [
        (f"/model/{i}", "unknown_reference", "no reference of this name can be used")
        for i, name in enumerate(options.model)
        if name not in known
    ]


def _escaped(name: str) -> str:
    """A name in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
