"""A layout's TOML document as pydantic models. The format: docs/layouts.md."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, NonNegativeInt, PlainValidator, model_validator

from data.cells.texts import DEFAULT_MISSING, Markers
from data.layout.column_tables import (
    AmountTable,
    ColumnOr,
    Name,
    Names,
    Table,
    TextTable,
    TimeColumn,
    as_cell,
    as_table,
    own_or,
    time_field,
)
from data.layout.fields import (
    TEXT_FIELDS,
    CsvDialect,
    LabelField,
    LabelJoin,
    TabularFields,
    TextField,
)
from data.layout.mapping import Layout
from fraud.label import source_problem
from settings.toml_file import key_error

_FRAUD = frozenset(("1", "true", "yes", "Yes", "YES", "y", "Y", "t", "T"))
_GENUINE = frozenset(("0", "false", "no", "No", "NO", "n", "N", "f", "F"))
_DAY_MS = 86_400_000


def _character(text: str) -> str:
    if len(text) != 1:
        raise ValueError("must be one character")
    return text


def _quote(text: str) -> str:
    return text if text == "none" else _character(text)


def _encoding(name: str) -> str:
    try:
        fits = "\n".encode(name) == b"\n"
    except (LookupError, TypeError, AttributeError, ValueError):
        fits = False
    if not fits:
        raise ValueError("no encoding in which a line break is one byte")
    return name


def _source(name: str) -> str:
    if problem := source_problem(name):
        raise ValueError(problem.detail)
    return name


def _label_texts(listed: Any) -> frozenset[str]:
    """Texts or whole numbers as cells have them; a truth value in each of its spellings."""
    if not listed or not isinstance(listed, list):
        raise ValueError("must list texts or whole numbers")
    if not all(isinstance(value, str | int) for value in listed):
        raise ValueError("must list texts or whole numbers")
    texts = {str(value) for value in listed}
    for value in listed:
        if isinstance(value, bool):
            texts |= {str(value).lower(), str(value).upper()}
    return frozenset(map(as_cell, texts))


Character = Annotated[str, AfterValidator(_character)]
LabelTexts = Annotated[frozenset[str], PlainValidator(_label_texts)]
Days = Annotated[float, Field(ge=0, le=3650)]


class FileTable(Table):
    """`[file]`: how the file is written, and what holds for every column."""

    delimiter: Character = ","
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    quote: Annotated[str, AfterValidator(_quote)] = '"'
    escape: Character | None = None
    header: bool = True
    names: Names = ()
    skip_lines: NonNegativeInt = 0
    missing: Names | None = None
    decimal: Literal[".", ","] = "."
    missing_columns: Literal["refuse", "ignore"] = "refuse"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.names and self.header and self.has("header"):
            raise key_error("names", "are for a file without a header: header = false")
        if self.delimiter in (self.quote, self.escape):
            raise key_error("delimiter", "must differ from `quote` and `escape`")
        if len(set(self.names)) < len(self.names):
            raise key_error("names", "must differ from each other")
        return self

    def dialect(self) -> CsvDialect:
        """How a CSV file is written."""
        return CsvDialect(
            delimiter=self.delimiter,
            encoding=self.encoding,
            quote=None if self.quote == "none" else self.quote,
            escape=self.escape,
            header=self.header and not self.names,
            names=self.names,
            skip_lines=self.skip_lines,
        )


class ColumnsTable(Table):
    """`[columns]`: where each canonical field comes from."""

    transaction_id: ColumnOr[TextTable]
    customer_id: ColumnOr[TextTable]
    timestamp: TimeColumn
    amount: ColumnOr[AmountTable]
    currency: ColumnOr[TextTable]
    type: ColumnOr[TextTable]
    merchant_id: ColumnOr[TextTable] | None = None
    merchant_category: ColumnOr[TextTable] | None = None
    counterparty_id: ColumnOr[TextTable] | None = None
    device_id: ColumnOr[TextTable] | None = None
    ip_address: ColumnOr[TextTable] | None = None
    country: ColumnOr[TextTable] | None = None
    channel: ColumnOr[TextTable] | None = None
    latitude: Name | None = None
    longitude: Name | None = None

    def text(self, missing: Markers) -> dict[str, TextField]:
        """Field -> where its text comes from, of the fields that are mapped."""
        tables = {name: getattr(self, name) for name in TEXT_FIELDS if self.has(name)}
        # NA is a missing value, but Namibia in a country.
        return {
            name: as_table(TextTable, table).field(missing, *(["NA"] if name == "country" else []))
            for name, table in tables.items()
        }

    def degrees(self) -> dict[str, str]:
        """`latitude` and `longitude` -> column, of those that are mapped."""
        pairs = {"latitude": self.latitude, "longitude": self.longitude}
        return {name: column for name, column in pairs.items() if column is not None}


class JoinTable(Table):
    """`[label.join]`: labels in a second file."""

    replace: Names
    key: Name
    rows: Names

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.replace) != 2:
            raise key_error("replace", "needs two texts: the old one and the new one")
        if not self.rows:
            raise key_error("rows", "must not be empty")
        return self

    def join(self) -> LabelJoin:
        return LabelJoin((self.replace[0], self.replace[1]), self.key, self.rows)


class LabelTable(Table):
    """`[label]`: the label, and when it was known."""

    column: Name
    fraud: LabelTexts = _FRAUD
    genuine: LabelTexts = _GENUINE
    known_at: TimeColumn | None = None
    delay_days: Days | None = None
    undated_days: Days | None = None
    source: Annotated[str, AfterValidator(_source)] = "history"
    join: JoinTable | None = None
    missing: Names | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.undated_days is not None and self.known_at is None:
            raise key_error("undated_days", "has no effect without `known_at`")
        if both := sorted(self.fraud & self.genuine):
            raise key_error("genuine", f"{both[0]} is also listed as fraud")
        return self

    def field(self, missing: Markers) -> LabelField:
        """The field; `missing` are the missing-value markers of the file."""
        known_at = None if self.known_at is None else time_field(self.known_at, missing)
        delay = 0.0 if self.delay_days is None and known_at is not None else self.delay_days
        return LabelField(
            column=self.column,
            fraud=self.fraud,
            genuine=self.genuine,
            known_at=known_at,
            delay_ms=None if delay is None else round(delay * _DAY_MS),
            source=self.source,
            join=None if self.join is None else self.join.join(),
            undated_ms=None if self.undated_days is None else round(self.undated_days * _DAY_MS),
            missing=own_or(missing - self.fraud - self.genuine, self.missing),
        )


class TabularTable(Table):
    """`[tabular]`: the columns of a table without entities."""

    numeric: Names = ()
    categorical: Names = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = (*self.numeric, *self.categorical)
        if not named:
            raise ValueError("needs a column in `numeric` or `categorical`")
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"{twice[0]} is listed twice")
        return self

    def fields(self, decimal: str, missing: Markers) -> TabularFields:
        return TabularFields(self.numeric, self.categorical, decimal, missing)


class TransactionIdTable(Table):
    """`[transaction_id]`: what to do with a row whose id belongs to another payment."""

    repeated: Literal["reject", "apart"] = "reject"


class LayoutDocument(Table):
    """The whole document."""

    name: Name
    about: Name = ""
    file: FileTable = FileTable()
    columns: ColumnsTable
    label: LabelTable | None = None
    tabular: TabularTable | None = None
    transaction_id: TransactionIdTable = TransactionIdTable()

    @model_validator(mode="after")
    def _check(self) -> Self:
        label = self.label
        if label and not self.tabular and label.known_at is None and label.delay_days is None:
            raise key_error("label.delay_days", "is missing: after how many days is a label known?")
        self._amount()
        return self

    @property
    def _missing(self) -> Markers:
        return own_or(DEFAULT_MISSING, self.file.missing)

    def _amount(self) -> Any:
        table = as_table(AmountTable, self.columns.amount)
        return table.field(self._missing, self.file.decimal)

    def layout(self, toml: str) -> Layout:
        """The layout that the document, whose text is `toml`, describes."""
        file, columns, tabular, missing = self.file, self.columns, self.tabular, self._missing
        return Layout(
            name=self.name,
            about=self.about,
            text=columns.text(missing),
            timestamp=time_field(columns.timestamp, missing),
            amount=self._amount(),
            degrees=columns.degrees(),
            label=None if self.label is None else self.label.field(missing),
            dialect=file.dialect(),
            decimal=file.decimal,
            missing=missing,
            allow_missing_columns=file.missing_columns == "ignore",
            digest_text=toml,
            tabular=None if tabular is None else tabular.fields(file.decimal, missing),
            repeated=self.transaction_id.repeated,
        )
