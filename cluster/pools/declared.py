"""Declared pools: `$QUORUM_HOME/variants.toml`, one table for each pool beside serve_config.yaml's.

[[variants]]
name = "acme/xgboost"
max_replicas = 2
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from fraud.errors import InvalidInput
from fraud.variant import VariantRef
from settings.toml_file import key_error, parse_toml
from stores.whole_file import replace_file

NAME = "variants.toml"
_HEADER = (
    "# Pools of variants beside those of serve_config.yaml. `quorum variants` changes this file.\n"
)
_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*variants[ \t]*\]\]", re.MULTILINE)


class Declaration(BaseModel):
    """The declaration of one pool. What is absent is as in serve_config.yaml.

    Attributes:
        name: the variant, as plans name it; see `VariantRef`.
        min_replicas, max_replicas: limits of its autoscaling.
        num_cpus: of each replica, in Ray's logical processors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    min_replicas: Annotated[int | None, Field(ge=1, le=1000)] = None
    max_replicas: Annotated[int | None, Field(ge=1, le=1000)] = None
    num_cpus: Annotated[float | None, Field(gt=0, le=1024)] = None

    @field_validator("name")
    @classmethod
    def _is_a_variant(cls, name: str, _: ValidationInfo) -> str:
        return str(VariantRef.parse(name))

    @model_validator(mode="after")
    def _in_order(self) -> Declaration:
        if self.min_replicas and self.max_replicas and self.min_replicas > self.max_replicas:
            raise key_error("max_replicas", f"expected min_replicas ({self.min_replicas}) or more")
        return self

    def to_toml(self) -> str:
        """Return its table."""
        # A name has no character that TOML or JSON would escape.
        values = self.model_dump(exclude_none=True) | {"name": f'"{self.name}"'}
        return "[[variants]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    variants: list[Declaration] = []


class DeclaredPools:
    """The declarations in a file. Comments and hand-made changes in it stay.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, home: Path) -> DeclaredPools:
        """Return those of `$QUORUM_HOME`."""
        return cls(home / NAME)

    def read(self) -> tuple[Declaration, ...]:
        """Return the declarations, in the file's order.

        Raises:
            InvalidInput: the file is not one of declarations; names the key.
        """
        return self._parse(self._text())

    def add(self, declaration: Declaration) -> None:
        """Declare a pool, in place of an earlier declaration of that name.

        Raises:
            InvalidInput: see `read`.
            OSError: the file cannot be written.
        """
        text = self._without(declaration.name) or _HEADER
        self._write(f"{text.rstrip()}\n\n{declaration.to_toml()}")

    def remove(self, name: str) -> bool:
        """Remove the declaration of a pool. Returns whether there was one.

        Raises:
            InvalidInput, OSError: see `add`.
        """
        if all(declaration.name != name for declaration in self.read()):
            return False
        self._write(f"{self._without(name).rstrip()}\n")
        return True

    def _without(self, name: str) -> str:
        """Return the file without the table of one pool."""
        text = self._text()
        self._parse(text)
        starts = [found.start() for found in _TABLE.finditer(text)]
        if starts:
            ends = [*starts[1:], len(text)]
            tables = [text[a:b] for a, b in zip(starts, ends, strict=True)]
            kept = [table for table in tables if self._parse(table)[0].name != name]
            text = "".join([text[: starts[0]], *kept])
        if any(declaration.name == name for declaration in self._parse(text)):
            raise InvalidInput(f"{self.path}: variants: expected a [[variants]] table for each")
        return text

    def _write(self, text: str) -> None:
        self._parse(text)
        replace_file(self.path, text.encode())

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{self.path}: cannot be read: {error}") from error

    def _parse(self, text: str) -> tuple[Declaration, ...]:
        found = tuple(parse_toml(text, str(self.path), _File).variants)
        names = [declaration.name for declaration in found]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInput(f"{self.path}: variants: {twice[0]} is declared twice")
        return found
