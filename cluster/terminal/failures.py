"""Turns errors that are to be expected into one line and a hint, without importing their makers."""

from __future__ import annotations

import os
from pathlib import Path

from cluster.terminal.terminal import CommandFailed
from fraud.errors import QuorumError, SettingInvalid
from settings.error_text import expected
from stores.redaction import redacted

_START = "`quorum up` starts everything; `quorum status` says what is up"


def explain(error: BaseException) -> CommandFailed | None:
    """The one line for an error a user can do something about; None for a defect of ours.

    Drivers are told apart by the module of their exceptions: importing asyncpg, redis and ray
    only to compare classes would cost every command a second.
    """
    if isinstance(error, CommandFailed):
        return error
    package = type(error).__module__.partition(".")[0]
    name = type(error).__name__
    said = _first_line(error)
    if package in ("asyncpg", "redis"):
        return _store_failure(package, name, said)
    if name == "SettingInvalid":
        return CommandFailed(*_setting(error))
    if name == "StoreUnreachable":
        return CommandFailed(said or name, _hint(str(error.args[1]), str(error.args[2])))
    if package == "fraud":
        return CommandFailed(said or name, _START)
    if package == "ray":
        return CommandFailed(f"Ray: {said or name}", _START)
    if package == "pydantic_core" and name == "ValidationError":
        return CommandFailed(*_settings_at_fault(error))
    if isinstance(error, ConnectionError | TimeoutError):
        return CommandFailed(f"no connection: {said or name}", _START)
    if isinstance(error, FileNotFoundError):
        return CommandFailed(f"no such file: {error.filename or said}", "check the path")
    if isinstance(error, PermissionError):
        return CommandFailed(f"no permission: {error.filename or said}", "check the owner")
    if isinstance(error, OSError):
        return CommandFailed(said or name, _START)
    return None


def plainly(error: QuorumError) -> CommandFailed:
    """An error that says by itself what to do, without a hint about what may not be up."""
    if isinstance(error, SettingInvalid):
        return CommandFailed(*_setting(error))
    return CommandFailed(str(error.args[0]), "")


def _store_failure(package: str, name: str, said: str) -> CommandFailed:
    store = "PostgreSQL" if package == "asyncpg" else "Redis"
    if name in ("UndefinedTableError", "UndefinedFunctionError", "UndefinedColumnError"):
        return CommandFailed(f"{store}: {said}", "`quorum migrate` brings the schema up to date")
    variable = "DATABASE_URL" if package == "asyncpg" else "REDIS_URL"
    return CommandFailed(f"{store}: {said or name}", _hint(variable, f"check {variable}"))


def _hint(variable: str, hint: str) -> str:
    """What to do about a store: `quorum up` starts none that a user has named."""
    return hint if os.environ.get(variable) else _START


def _setting(error: BaseException) -> tuple[str, str]:
    variable, why, hint = error.args
    return f"{variable}: {why}", str(hint)


def _settings_at_fault(error: BaseException) -> tuple[str, str]:
    """Names of the wrong settings, as they are set, and what to take; never their values."""
    wrong = error.errors(include_input=False, include_url=False)  # type: ignore[attr-defined]
    names = [_variable(str(item["loc"][0]) if item["loc"] else "a setting") for item in wrong]
    hints = [expected(item) for item in wrong]
    if len(wrong) == 1:
        return f"{names[0]} has a wrong value", hints[0]
    each = "; ".join(f"{name}: {hint}" for name, hint in zip(names, hints, strict=True))
    return "settings have wrong values", each


def _variable(name: str) -> str:
    """The variable behind a field of `settings.settings.Settings`."""
    return name if name.isupper() else f"QUORUM_{name.upper()}"


def _first_line(error: BaseException) -> str:
    """First line of what the error says of itself; a `QuorumError` says it in `args[0]`."""
    said = str(error.args[0]) if error.args and isinstance(error.args[0], str) else str(error)
    return said.strip().splitlines()[0] if said.strip() else ""


def save_traceback(error: BaseException, home: Path) -> Path:
    """Keep the traceback of a defect for whoever reports it; returns the file."""
    import traceback

    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "crash.log"
    path.write_text(redacted("".join(traceback.format_exception(error))), encoding="utf-8")
    return path
