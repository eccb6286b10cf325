"""Configuration files in TOML, read into pydantic models."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from fraud.errors import InvalidInput
from settings.wrong_value import wanted

M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path, model: type[M]) -> M:
    """Read a file of a model's keys.

    Raises:
        InvalidInput: the file is missing, is not TOML, or says something that cannot be; names the
            key, and for an unknown one the nearest that there is.
    """
    try:
        return parse_toml(path.read_text(encoding="utf-8"), str(path), model)
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not TOML: {error}") from error


def parse_toml(text: str, origin: str, model: type[M]) -> M:
    """Read a text of a model's keys.

    Args:
        origin: file name for messages.

    Raises:
        InvalidInput: see `read_toml`.
    """
    try:
        document = tomllib.loads(text)
        # As JSON, which is read strictly: `true` is no number, "3" neither.
        return model.model_validate_json(json.dumps(document, default=str), strict=True)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{origin}: not TOML: {error}") from error
    except ValidationError as error:
        # An unknown key first: where it is a misspelt one, it is why another is missing.
        found = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")[0]
        place, problem = _problem(found, document, model)
        raise InvalidInput(f"{origin}: {place or 'the file'}: {problem}") from error


def key_error(key: str, problem: str) -> PydanticCustomError:
    """The error for one key, for a validator that sees its whole section."""
    return PydanticCustomError("key", "{problem}", {"key": key, "problem": problem})


def _problem(item: Any, document: Any, model: type[BaseModel]) -> tuple[str, str]:
    """The dotted key of an error, and what to write instead."""
    place = list(_keys(item, document))
    if item["type"] == "extra_forbidden":
        section = _value_at(document, place[:-1])
        names = [*_names(model, place[:-1])]
        free = [name for name in names if name not in section]
        return _dotted(place), _unknown(str(place[-1]), free, names)
    if item["type"] == "key":
        return _dotted([*place, item["ctx"]["key"]]), item["msg"]
    return _dotted(place), wanted(item)


def _dotted(place: list[Any]) -> str:
    return ".".join(map(str, place))


def _keys(item: Any, document: Any) -> Iterator[Any]:
    """The keys of the document on the way to an error: pydantic also names the union's member."""
    at = document
    for i, part in enumerate(item["loc"]):
        if isinstance(at, Mapping) and part in at:
            at = at[part]
        elif isinstance(at, list) and isinstance(part, int):
            at = at[part] if part < len(at) else None
        elif item["type"] != "missing" or i + 1 < len(item["loc"]):
            continue
        yield part


def _value_at(document: Any, place: list[Any]) -> Any:
    for part in place:
        document = document[part]
    return document


def _unknown(key: str, free: list[str], names: list[str]) -> str:
    near = get_close_matches(key, free, 1) or get_close_matches(key, names, 1)
    if near:
        return f"there is no such key; did you mean {near[0]}?"
    return f"there is no such key; there are {', '.join(sorted(names))}"


def _names(model: type[BaseModel], place: list[Any]) -> list[str]:
    """Keys of the section at `place`."""
    sections = [model]
    for part in place:
        fields = [section.model_fields.get(str(part)) for section in sections]
        annotations = [field.annotation for field in fields if field is not None]
        sections = [section for one in annotations for section in _sections(one)]
    return list(dict.fromkeys(name for section in sections for name in section.model_fields))


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)
