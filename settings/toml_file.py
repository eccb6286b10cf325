"""Configuration files in TOML, read into pydantic models."""

from __future__ import annotations

import json
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from fraud.errors import InvalidInput
from settings.error_text import expected

M = TypeVar("M", bound=BaseModel)


def read_toml(path: Path, model: type[M]) -> M:
    """Read a TOML file into a model.

    Raises:
        InvalidInput: the file is missing, is not TOML, or has a wrong key or value; names the key
            and what was expected, for an unknown key the nearest known one.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        # As JSON, which is read strictly: neither `true` nor "3" is a number.
        return model.model_validate_json(json.dumps(content, default=str), strict=True)
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        what = expected(first)
        if first["type"] == "extra_forbidden":
            what = _unknown(str(first["loc"][-1]), _names(model, first["loc"][:-1]))
        raise InvalidInput(f"{path}: {where}: {what}") from error


def _unknown(key: str, names: list[str]) -> str:
    near = get_close_matches(key, names, 1)
    if near:
        return f"no such key; did you mean {near[0]}?"
    return f"no such key; expected one of {', '.join(sorted(names))}"


def _names(model: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """Keys of the section at `place`."""
    section: type[BaseModel] = model
    for part in place:
        annotation = section.model_fields[str(part)].annotation
        found = [a for a in (annotation, *get_args(annotation)) if _is_section(a)]
        if not found:
            return []
        section = found[0]
    return list(section.model_fields)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
