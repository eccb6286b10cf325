"""Layouts out of TOML: each key checked, each error with its file and key. See docs/layouts.md."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from data.cells.texts import DEFAULT_MISSING, Markers, canonical_text, markers
from data.layout.fields import (
    REQUIRED,
    TEXT_FIELDS,
    AmountField,
    FileForm,
    LabelField,
    LabelJoin,
    TabularFields,
    TextField,
)
from data.layout.mapping import Layout, LayoutInvalid, LayoutUnknown, MostlyUnreadable
from data.layout.time_toml import time_field
from data.layout.toml_table import Table
from fraud.label import source_problem

__all__ = [
    "Layout",
    "LayoutInvalid",
    "LayoutUnknown",
    "MostlyUnreadable",
    "layout_names",
    "load_layout",
    "parse_layout",
]

FRAUD = ("1", "true", "yes", "Yes", "YES", "y", "Y", "t", "T")
GENUINE = ("0", "false", "no", "No", "NO", "n", "N", "f", "F")
REPEATED = ("reject", "apart")
"""What is done with a row whose id is that of another payment: it is refused, or kept apart under
an id made of its own, its time and its customer."""


class _Habits(NamedTuple):
    """What a file does in every column, unless a field says otherwise."""

    missing: Markers
    decimal: str


def layout_names() -> list[str]:
    """Names of the layouts that come with Quorum, sorted."""
    folder = files("data.layout").joinpath("layouts")
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


def load_layout(name_or_path: str) -> Layout:
    """A layout by its name, or from a TOML file of one's own.

    Raises:
        LayoutUnknown: there is neither such a layout nor such a file.
        LayoutInvalid: a key of it is wrong.
    """
    known = layout_names()
    if name_or_path in known:
        place = files("data.layout").joinpath("layouts", f"{name_or_path}.toml")
        return parse_layout(place.read_text(encoding="utf-8"), f"{name_or_path}.toml")
    path = Path(name_or_path)
    if not path.is_file():
        near = get_close_matches(name_or_path, known, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        listed = ", ".join(known)
        raise LayoutUnknown(f"no layout {name_or_path}: neither a file nor one of {listed}{meant}")
    try:
        return parse_layout(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise LayoutInvalid(f"{path}: is not UTF-8 text") from None


def parse_layout(toml: str, origin: str) -> Layout:
    """Layout from TOML text.

    Args:
        origin: file name for messages.

    Raises:
        LayoutInvalid: the message names `origin` and the key.
    """
    try:
        document = Table(tomllib.loads(toml), origin)
        return _layout(document, toml)
    except tomllib.TOMLDecodeError as error:
        raise LayoutInvalid(f"{origin}: not TOML: {error}") from None
    except ValueError as error:
        raise LayoutInvalid(str(error)) from None


def _layout(document: Table, toml: str) -> Layout:
    file = document.table("file", required=False)
    habits = _Habits(
        missing=markers(file.text_list("missing")) if "missing" in file else DEFAULT_MISSING,
        decimal=file.one_of("decimal", (".", ",")) or ".",
    )
    form = _form(file)
    name, about = document.text("name"), document.text("about", "")
    of_table = "tabular" in document
    label = _label(document.table("label"), habits, of_table) if "label" in document else None
    tabular = _tabular(document.table("tabular"), habits) if "tabular" in document else None
    may_lack = file.one_of("missing_columns", ("refuse", "ignore")) == "ignore"
    repeated = _repeated(document.table("transaction_id", required=False))
    # Before what is missing is told of: a misspelt key is why a field is missing.
    columns = document.table("columns", required=not document.misspelt("columns"))
    document.refuse_unread()
    file.refuse_unread()
    columns.refuse_other((*TEXT_FIELDS, "timestamp", "amount", "latitude", "longitude"))
    text = {n: _text(columns.entry(n), habits, n) for n in TEXT_FIELDS if n in columns}
    for field in REQUIRED:
        if field not in text:
            raise ValueError(f"{columns.where}.{field}: is missing")
    return Layout(
        name=name,
        about=about,
        text=text,
        timestamp=time_field(columns.entry("timestamp"), habits.missing),
        amount=_amount(columns.entry("amount"), habits),
        degrees={n: columns.text(n) for n in ("latitude", "longitude") if n in columns},
        label=label,
        form=form,
        decimal=habits.decimal,
        missing=habits.missing,
        may_lack=may_lack,
        digest_text=toml,
        tabular=tabular,
        repeated=repeated,
    )


def _form(file: Table) -> FileForm:
    names = tuple(file.text_list("names")) if "names" in file else ()
    quote = file.text("quote", '"')
    form = FileForm(
        delimiter=file.text("delimiter", ","),
        encoding=file.codec("encoding", "utf-8"),
        quote=None if quote == "none" else quote,
        escape=file.text("escape", None),
        header=file.flag("header", not names),
        names=names,
        skip_lines=file.count("skip_lines", 0),
    )
    for key in ("delimiter", "quote", "escape"):
        sign = getattr(form, key)
        if sign is not None and len(sign) != 1:
            raise ValueError(f"{file.where}.{key}: must be one character")
    if form.names and form.header:
        raise ValueError(f"{file.where}.names: are those of a file without header: header = false")
    if len({form.delimiter, form.quote, form.escape}) < 3 - (form.quote == form.escape):
        raise ValueError(f"{file.where}.delimiter: must differ from quote and escape")
    if len(set(names)) < len(names):
        raise ValueError(f"{file.where}.names: must differ from each other")
    return form


def _repeated(entry: Table) -> str:
    found = entry.one_of("repeated", REPEATED) or REPEATED[0]
    entry.refuse_unread()
    return found


def _tabular(entry: Table, habits: _Habits) -> TabularFields:
    found = TabularFields(
        numeric=tuple(entry.text_list("numeric") if "numeric" in entry else ()),
        categorical=tuple(entry.text_list("categorical") if "categorical" in entry else ()),
        decimal=habits.decimal,
        missing=habits.missing,
    )
    named = (*found.numeric, *found.categorical)
    entry.refuse_unread()
    if not named:
        raise ValueError(f"{entry.where}: needs a column in numeric or categorical")
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise ValueError(f"{entry.where}: {twice[0]} is listed twice")
    return found


def _missing(entry: Table, habits: _Habits, used: frozenset[str] = frozenset()) -> Markers:
    """What stands for nothing in a field: its own list, or that of the file without the texts
    that the field gives a meaning."""
    if "missing" in entry:
        return markers(entry.text_list("missing"))
    return habits.missing - used


def _text(entry: Table, habits: _Habits, name: str) -> TextField:
    values = {_canonical(value): text for value, text in entry.texts("values").items()}
    # NA is Namibia where a country is meant.
    used = frozenset(values) | ({"NA"} if name == "country" else frozenset())
    column = entry.text("column", None)
    columns = tuple(entry.text_list("columns")) if "columns" in entry else ()
    found = TextField(
        columns=columns if column is None else (column,),
        joint=entry.text("join", "-"),
        constant=entry.text("constant", None),
        row_number=entry.flag("row_number"),
        values=values,
        otherwise=entry.text("otherwise", None),
        matches=entry.pattern("matches"),
        prefix=entry.text("prefix", ""),
        missing=_missing(entry, habits, used),
    )
    entry.refuse_unread()
    given = [column is not None, bool(columns), found.constant is not None, found.row_number]
    if sum(given) != 1:
        raise ValueError(
            f"{entry.where}: needs one of column, columns, constant, row_number = true"
        )
    _refuse_idle(entry, found)
    return found


def _refuse_idle(entry: Table, field: TextField) -> None:
    """Fail on keys that would do nothing: whoever wrote them expects something of them."""
    if "join" in entry and len(field.columns) < 2:
        raise ValueError(f"{entry.where}.join: stands between columns, and there are not two")
    for key in ("matches", "values", "otherwise", "missing"):
        if key in entry and not field.columns:
            raise ValueError(f"{entry.where}.{key}: is of a column, and none is named")


def _canonical(value: str) -> str:
    """A value as cells have it: see `texts.canonical_text`."""
    plain = value.strip()
    return canonical_text(plain) or plain


def _amount(entry: Table, habits: _Habits) -> AmountField:
    found = AmountField(
        column=entry.text("column"),
        minor=entry.one_of("unit", ("major", "minor")) == "minor",
        round=entry.flag("round"),
        absolute=entry.flag("absolute"),
        ignore=tuple(entry.text_list("ignore") if "ignore" in entry else ()),
        decimal=entry.one_of("decimal", (".", ",")) or habits.decimal,
        missing=_missing(entry, habits),
    )
    entry.refuse_unread()
    if found.decimal in found.ignore or "" in found.ignore:
        raise ValueError(f"{entry.where}.ignore: must list neither the decimal sign nor nothing")
    return found


def _source(entry: Table) -> str:
    source = entry.text("source", "history")
    if problem := source_problem(source):
        raise ValueError(f"{entry.where}.source: {problem.detail}")
    return source


_LABEL_KEYS = (
    *("column", "fraud", "genuine", "known_at", "delay_days", "undated_days", "source", "join"),
    "missing",
)


def _label(entry: Table, habits: _Habits, of_table: bool) -> LabelField:
    entry.refuse_other(_LABEL_KEYS)
    dated = time_field(entry.entry("known_at"), habits.missing) if "known_at" in entry else None
    delay_days = None
    if "delay_days" in entry or not (of_table or dated is not None):
        delay_days = entry.number("delay_days", None)
    elif dated is not None:
        delay_days = 0.0
    undated = entry.number("undated_days", 0.0) if "undated_days" in entry else None
    for key, days in (("delay_days", delay_days), ("undated_days", undated)):
        if days is not None and not 0 <= days <= 3650:
            raise ValueError(f"{entry.where}.{key}: must lie between 0 and 3650")
    if undated is not None and dated is None:
        raise ValueError(f"{entry.where}.undated_days: is of labels with known_at")
    fraud = frozenset(map(_canonical, entry.text_set("fraud", FRAUD)))
    genuine = frozenset(map(_canonical, entry.text_set("genuine", GENUINE)))
    found = LabelField(
        column=entry.text("column"),
        fraud=fraud,
        genuine=genuine,
        known_at=dated,
        delay_ms=None if delay_days is None else round(delay_days * 86_400_000),
        source=_source(entry),
        join=_join(entry.table("join")) if "join" in entry else None,
        undated_ms=None if undated is None else round(undated * 86_400_000),
        missing=_missing(entry, habits, fraud | genuine),
    )
    entry.refuse_unread()
    both = sorted(found.fraud & found.genuine)
    if both:
        raise ValueError(f"{entry.where}.genuine: {both[0]} is also listed as fraud")
    return found


def _join(entry: Table) -> LabelJoin:
    rows = entry.text_list("rows")
    replace = entry.text_list("replace")
    key = entry.text("key")
    entry.refuse_unread()
    if len(replace) != 2:
        raise ValueError(f"{entry.where}.replace: needs two texts: the old one and the new one")
    if not rows:
        raise ValueError(f"{entry.where}.rows: must not be empty")
    return LabelJoin((replace[0], replace[1]), key, tuple(rows))
