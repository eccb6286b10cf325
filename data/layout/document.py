"""The TOML document of a layout. The format: docs/layouts.md."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from data.cells.texts import DEFAULT_MISSING
from data.layout.fields import (
    TEXT_FIELDS,
    AmountField,
    CsvDialect,
    LabelField,
    TabularFields,
    TextField,
    TimeField,
)
from data.layout.mapping import Layout
from data.layout.value_kinds import ColumnOr, Missing, Name, Table
from settings.toml_file import key_error


class FileTable(CsvDialect):
    """`[file]`: the dialect, and what holds for every column."""

    missing: Missing = DEFAULT_MISSING
    decimal: Literal[".", ","] = "."
    missing_columns: Literal["refuse", "ignore"] = "refuse"


class ColumnsTable(Table):
    """`[columns]`: where each canonical field comes from."""

    transaction_id: ColumnOr[TextField]
    customer_id: ColumnOr[TextField]
    timestamp: ColumnOr[TimeField]
    amount: ColumnOr[AmountField]
    currency: ColumnOr[TextField]
    type: ColumnOr[TextField]
    merchant_id: ColumnOr[TextField] | None = None
    merchant_category: ColumnOr[TextField] | None = None
    counterparty_id: ColumnOr[TextField] | None = None
    device_id: ColumnOr[TextField] | None = None
    ip_address: ColumnOr[TextField] | None = None
    country: ColumnOr[TextField] | None = None
    channel: ColumnOr[TextField] | None = None
    latitude: Name | None = None
    longitude: Name | None = None


class TransactionIdTable(Table):
    """`[transaction_id]`: what to do with a row whose id belongs to another payment."""

    repeated: Literal["reject", "apart"] = "reject"


class LayoutDocument(Table):
    """The whole document."""

    name: Name
    about: Name = ""
    file: FileTable = FileTable()
    columns: ColumnsTable
    label: LabelField | None = None
    tabular: TabularFields | None = None
    transaction_id: TransactionIdTable = TransactionIdTable()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.label is not None and self.label.delay_ms is None and self.tabular is None:
            raise key_error("label.delay_days", "is missing: after how many days is a label known?")
        amount = self._amount()
        if not {amount.decimal, ""}.isdisjoint(amount.ignore):
            problem = "must list neither the decimal sign nor an empty text"
            raise key_error("columns.amount.ignore", problem)
        return self

    def layout(self, toml: str) -> Layout:
        """Return the layout that the document, whose text is `toml`, describes."""
        file, columns = self.file, self.columns
        degrees = {"latitude": columns.latitude, "longitude": columns.longitude}
        return Layout(
            name=self.name,
            about=self.about,
            text={name: self._text(name) for name in TEXT_FIELDS if columns.has(name)},
            timestamp=columns.timestamp.with_defaults(missing=file.missing),
            amount=self._amount(),
            degrees={name: column for name, column in degrees.items() if column is not None},
            label=self._label(),
            dialect=file,
            decimal=file.decimal,
            missing=file.missing,
            allow_missing_columns=file.missing_columns == "ignore",
            digest_text=toml,
            tabular=self.tabular,
            repeated=self.transaction_id.repeated,
        )

    def _text(self, name: str) -> TextField:
        field: TextField = getattr(self.columns, name)
        # A text that the layout gives a meaning is not missing, nor is NA, Namibia, as a country.
        meaningful = {*field.values, "NA"} if name == "country" else field.values
        return field.with_defaults(missing=self.file.missing.difference(meaningful))

    def _amount(self) -> AmountField:
        return self.columns.amount.with_defaults(
            missing=self.file.missing, decimal=self.file.decimal
        )

    def _label(self) -> LabelField | None:
        label = self.label
        if label is None:
            return None
        if label.known_at is not None:
            known_at = label.known_at.with_defaults(missing=self.file.missing)
            label = label.model_copy(update={"known_at": known_at})
        return label.with_defaults(missing=self.file.missing - label.fraud - label.genuine)
