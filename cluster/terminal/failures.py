"""Turns expected errors into one line with a hint, without importing their packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.errors import CommandFailed
from fraud.errors import QuorumError, SettingInvalid
from settings.error_text import expected
from settings.secret_files import given
from stores.redaction import redacted

_START = "`quorum up` starts everything; `quorum status` shows what is running"


def explain(error: BaseException) -> CommandFailed | None:
    """Return an error that a user can do something about as one line; None for a defect of ours.

    Errors are recognised by the names of their modules and classes: importing asyncpg, redis and
    ray only to compare classes would cost every command a second.
    """
    if isinstance(error, CommandFailed):
        return error
    package = type(error).__module__.partition(".")[0]
    name = type(error).__name__
    message = _first_line(error)
    if package in ("asyncpg", "redis"):
        return _store_failure(package, name, message)
    if name == "SettingInvalid":
        return CommandFailed(*_setting(error))
    if name == "StoreUnreachable":
        return CommandFailed(message or name, _hint(str(error.args[1]), str(error.args[2])))
    if package == "fraud":
        return CommandFailed(message or name, _START)
    if package == "ray":
        return CommandFailed(f"Ray: {message or name}", _START)
    if package == "pydantic_core" and name == "ValidationError":
        return CommandFailed(*_settings_at_fault(error))
    if isinstance(error, ConnectionError | TimeoutError):
        return CommandFailed(f"no connection: {message or name}", _START)
    if isinstance(error, FileNotFoundError):
        return CommandFailed(f"no such file: {error.filename or message}", "check the path")
    if isinstance(error, PermissionError):
        return CommandFailed(f"no permission: {error.filename or message}", "check the owner")
    if isinstance(error, OSError):
        return CommandFailed(message or name, _START)
    return None


def without_hint(error: QuorumError) -> CommandFailed:
    """Return an error as one line, without a hint at parts that may not be running."""
    if isinstance(error, SettingInvalid):
        return CommandFailed(*_setting(error))
    return CommandFailed(str(error.args[0]), "")


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn faults of layouts and of files of payments into one line with a hint."""
    from data.files.source import SourceUnreadable
    from data.layout.layout import LayoutInvalid, LayoutUnknown
    from data.load.loader import LoadBusy

    try:
        yield
    except QuorumError as error:
        hint = "see docs/layouts.md"
        if isinstance(error, LayoutUnknown):
            hint = "`quorum layout guess FILE` writes one to start from"
        elif isinstance(error, LayoutInvalid):
            hint = "docs/layouts.md describes layouts"
        elif isinstance(error, LoadBusy):
            hint = "wait for it"
        elif isinstance(error, SourceUnreadable):
            hint = "check the file"
        raise CommandFailed(str(error.args[0]), hint) from None


def _store_failure(package: str, name: str, message: str) -> CommandFailed:
    store = "PostgreSQL" if package == "asyncpg" else "Redis"
    if name in ("UndefinedTableError", "UndefinedFunctionError", "UndefinedColumnError"):
        return CommandFailed(f"{store}: {message}", "`quorum migrate` brings the schema up to date")
    variable = "DATABASE_URL" if package == "asyncpg" else "REDIS_URL"
    return CommandFailed(f"{store}: {message or name}", _hint(variable, f"check {variable}"))


def _hint(variable: str, hint: str) -> str:
    """Return `hint` for a store that the user has named, as `quorum up` does not start it."""
    return hint if given(variable) else _START


def _setting(error: BaseException) -> tuple[str, str]:
    variable, why, hint = error.args
    return f"{variable}: {why}", str(hint)


def _settings_at_fault(error: BaseException) -> tuple[str, str]:
    """Return the names of the wrong settings and what is expected; never their values."""
    wrong = error.errors(include_input=False, include_url=False)  # type: ignore[attr-defined]
    names = [_variable(str(item["loc"][0]) if item["loc"] else "a setting") for item in wrong]
    hints = [expected(item) for item in wrong]
    if len(wrong) == 1:
        return f"{names[0]} has a wrong value", hints[0]
    each = "; ".join(f"{name}: {hint}" for name, hint in zip(names, hints, strict=True))
    return "settings have wrong values", each


def _variable(name: str) -> str:
    """Return the variable behind a field of `settings.settings.Settings`."""
    return name if name.isupper() else f"QUORUM_{name.upper()}"


def _first_line(error: BaseException) -> str:
    """Return the first line of an error's message, which a `QuorumError` has in `args[0]`."""
    text = str(error.args[0]) if error.args and isinstance(error.args[0], str) else str(error)
    return text.strip().splitlines()[0] if text.strip() else ""


def save_traceback(error: BaseException, home: Path) -> Path:
    """Write the traceback of a defect to a file, to be reported. Returns the file."""
    import traceback

    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "crash.log"
    path.write_text(redacted("".join(traceback.format_exception(error))), encoding="utf-8")
    return path
