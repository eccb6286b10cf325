"""Configuration files in TOML, read into pydantic models."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from fraud.errors import InvalidInput
from settings.error_text import expected

M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path, model: type[M]) -> M:
    """Read a TOML file into a model.

    Raises:
        InvalidInput: the file is missing or is not TOML, or a value is invalid. The message names
            the key, and for an unknown key the closest one.
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
        # As JSON, which pydantic reads strictly: neither `true` nor "3" is a number.
        return model.model_validate_json(json.dumps(document, default=str), strict=True)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{origin}: not TOML: {error}") from error
    except ValidationError as error:
        # Unknown keys first: a misspelt key is also why another one is missing.
        found = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")[0]
        place, problem = _problem(found, document, model)
        raise InvalidInput(f"{origin}: {place or 'the file'}: {problem}") from error


def key_error(key: str, problem: str) -> PydanticCustomError:
    """Return the error for one key, for a validator of a whole section."""
    return PydanticCustomError("key", "{problem}", {"key": key, "problem": problem})


def _problem(item: Any, document: Any, model: type[BaseModel]) -> tuple[str, str]:
    """Return the dotted key of an error, and what is wrong or expected."""
    place, section = _place(item, document)
    problem = expected(item)
    if item["type"] == "extra_forbidden":
        problem = _unknown(str(place[-1]), section, _names(model, place[:-1]))
    elif item["type"] == "key":
        place, problem = [*place, item["ctx"]["key"]], item["msg"]
    return ".".join(map(str, place)), problem


def _place(item: Any, document: Any) -> tuple[list[Any], Any]:
    """The keys that lead to an error, and the section of the last one.

    Pydantic's own location also names the members of unions.
    """
    place, section, value = [], document, document
    for part in item["loc"]:
        is_key = isinstance(value, Mapping) and part in value
        if is_key or (isinstance(value, list) and isinstance(part, int)):
            section, value = value, value[part]
            place.append(part)
    return ([*place, item["loc"][-1]] if item["type"] == "missing" else place), section


def _unknown(key: str, section: Any, names: list[str]) -> str:
    if key in names:
        return "is already given under another name; leave one of them out"
    free = [name for name in names if name not in section]
    near = get_close_matches(key, free, 1) or get_close_matches(key, names, 1)
    if near:
        return f"no such key; did you mean {near[0]}?"
    return f"no such key; expected one of {', '.join(sorted(names))}"


def _names(model: type[BaseModel], place: list[Any]) -> list[str]:
    """The keys of the section at `place`."""
    sections = [model]
    for part in place:
        fields = [section.model_fields.get(str(part)) for section in sections]
        sections = [model for f in fields if f is not None for model in _models(f.annotation)]
    return [name for section in sections for name in _keys(section)]


def _keys(section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        alias = field.validation_alias or name
        yield from map(str, alias.choices if isinstance(alias, AliasChoices) else [alias])


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
