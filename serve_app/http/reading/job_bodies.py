"""Reading what clients say about jobs: options in forms and bodies, ids, pages, formats."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from bulk.jobs.options import JobOptions
from fraud.errors import InvalidInput, NotFound
from serve_app.gateway.jobs.jobs import DEFAULT_PAGE, MAX_PAGE, Format
from serve_app.gateway.jobs.options import POINTER, read_options
from serve_app.http.problems import HttpProblem, MalformedBody
from serve_app.http.reading.fault import (
    Fault,
    Refused,
    fault,
    missing_field,
    not_an_object,
    unknown_fields,
)
from serve_app.http.reading.query import Query
from serve_app.http.wire.job_schemas import MAX_SOURCE_CHARS

OPTIONS: Final = "options"
"""The field of a form that holds all options as JSON."""

_LISTS: Final = ("model", "ignore")
_OBJECTS: Final = ("columns", "convert", "dialect")
_FORMATS: Final[dict[str, Format]] = {
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
}
MEDIA_TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True, slots=True)
class SourceIn:
    """A file that is not uploaded, and the options of its job."""

    source: str
    options: JobOptions


def read_json_document(body: bytes) -> Any:
    """Return a JSON document.

    Raises:
        MalformedBody: it is not JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody("The body is not valid JSON") from None


def read_source(document: Any) -> SourceIn:
    """Read the body of a job whose file is not uploaded.

    Raises:
        InvalidInput: it is wrong; names every fault.
    """
    if not isinstance(document, dict):
        raise _refused([not_an_object("")])
    faults = unknown_fields(document, ("source", "options"), "")
    source = document.get("source")
    if source is None:
        faults.append(missing_field(document, "source", ""))
    elif not isinstance(source, str):
        faults.append(fault("/source", "source", Refused("type", "expected a string")))
    elif not 1 <= len(source) <= MAX_SOURCE_CHARS or not source.isprintable():
        why = Refused(
            "malformed",
            f"expected a path or an s3:// URL of 1 to {MAX_SOURCE_CHARS} printable characters",
        )
        faults.append(fault("/source", "source", why))
    options = _options(document.get("options", {}), faults)
    if faults:
        raise _refused(faults)
    assert isinstance(source, str)
    assert options is not None
    return SourceIn(source, options)


def read_form_options(fields: Iterable[tuple[str, str]]) -> JobOptions:
    """Read the options of a form: all in one field as JSON, or each in a field of its own.

    A list is a repeated field; an object is JSON in its field.

    Raises:
        InvalidInput: they are wrong; names every fault.
    """
    document: dict[str, Any] = {}
    faults: list[Fault] = []
    seen: set[str] = set()
    for name, text in fields:
        if name in seen and name not in _LISTS:
            faults.append(fault(f"/{name}", name, Refused("repeated", "expected at most once")))
            continue
        if name == OPTIONS or name in _OBJECTS:
            found = _object(name, text, faults)
            document |= found if name == OPTIONS else {name: found}
        elif name in _LISTS:
            document.setdefault(name, [])
            document[name] = [*document[name], text]
        elif name in JobOptions.model_fields:
            document[name] = text
        else:
            faults += unknown_fields({name: None}, (), "")
        seen.add(name)
    if faults:
        raise _refused(faults)
    return read_options(document, "", strict=False)


def read_changes(document: Any) -> dict[str, Any]:
    """Read the body of a confirmation: options that replace the job's; None where none was sent.

    Raises:
        InvalidInput: it is wrong.
    """
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _refused([not_an_object("")])
    faults = unknown_fields(document, ("options",), "")
    changes = document.get("options", {})
    if not isinstance(changes, dict):
        faults.append(not_an_object(POINTER))
    if faults:
        raise _refused(faults)
    return cast("dict[str, Any]", changes)


def read_job_id(text: str) -> UUID:
    """Return the id of a job.

    Raises:
        NotFound: it is none, so there is no such job.
    """
    try:
        parsed = UUID(text)
    except ValueError:
        raise NotFound("no such job") from None
    if str(parsed) != text.lower():
        raise NotFound("no such job")
    return parsed


def read_page(parameters: Iterable[tuple[str, str]]) -> tuple[int, UUID | None]:
    """Return the most jobs of a page, and the job before which it begins.

    Raises:
        InvalidInput: a parameter is wrong.
    """
    query = Query.read(parameters, ("limit", "before"))
    limit = query.whole("limit", MAX_PAGE)
    before = None
    if "before" in query.given:
        try:
            before = read_job_id(query.given["before"])
        except NotFound:
            query.note("before", Refused("malformed", "expected the id of a job"))
    query.require_faultless()
    return limit or DEFAULT_PAGE, before


def read_dry_run(parameters: Iterable[tuple[str, str]]) -> bool:
    """Return whether a file is only to be matched.

    Raises:
        InvalidInput: a parameter is wrong.
    """
    query = Query.read(parameters, ("dry_run",))
    found = query.one_of("dry_run", ("true", "false"))
    query.require_faultless()
    return found == "true"


def read_format(parameters: Iterable[tuple[str, str]], accept: str) -> Format | None:
    """Return the format that the client asks for: in the query, else in `Accept`; None: any.

    Raises:
        InvalidInput: a parameter is wrong.
        HttpProblem: 406: `Accept` allows none.
    """
    query = Query.read(parameters, ("format",))
    found = query.one_of("format", tuple(MEDIA_TYPES))
    query.require_faultless()
    return cast("Format", found) if found else _accepted(accept)


def _accepted(accept: str) -> Format | None:
    if not accept.strip():
        return None
    wanted: list[tuple[float, str]] = []
    for item in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in item.split(";"))
        wanted.append((_quality(parameters), media_type))
    for quality, media_type in sorted(wanted, key=lambda pair: -pair[0]):
        if quality <= 0:
            continue
        if media_type in _FORMATS:
            return _FORMATS[media_type]
        if media_type in ("*/*", "application/*", "text/*", "application/octet-stream"):
            return None if media_type != "text/*" else "csv"
    detail = f"This is available as {', '.join(MEDIA_TYPES[f] for f in MEDIA_TYPES)}"
    raise HttpProblem("not-acceptable", detail)


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _options(given: Any, faults: list[Fault]) -> JobOptions | None:
    if not isinstance(given, dict):
        faults.append(not_an_object(POINTER))
        return None
    try:
        return read_options(given)
    except InvalidInput as error:
        faults += error.errors
        return None


def _object(name: str, text: str, faults: list[Fault]) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        faults.append(fault(f"/{name}", name, Refused("type", "expected an object as JSON")))
        return {}
    return cast("dict[str, Any]", found)


def _refused(faults: list[Fault]) -> InvalidInput:
    return InvalidInput("the request cannot be read", tuple(faults))
