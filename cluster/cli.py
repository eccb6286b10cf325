"""`quorum`: the command line. Each command is a module of `cluster/commands` with its name.

Every call imports all command modules. They import ray, mlflow, xgboost, pandas and the like inside
their functions, so that `quorum --help` answers in a fraction of a second.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from cluster.errors import CommandFailed
from cluster.home.private_folder import UMASK
from cluster.terminal.console import fail
from cluster.terminal.failures import explain, save_traceback

app = typer.Typer(
    name="quorum",
    help="Real-time fraud decisions by a quorum of models, on Ray Serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: Command -> panel of the help. The module and its function have the name of the command.
COMMANDS = {
    "up": "Run",
    "down": "Run",
    "join": "Run",
    "leave": "Run",
    "prepare": "Run",
    "status": "Run",
    "deploy": "Run",
    "migrate": "Run",
    "generate": "Data and models",
    "load": "Data and models",
    "train": "Data and models",
    "retrain": "Data and models",
    "drift": "Data and models",
    "mlflow": "Data and models",
    "replay": "Decisions",
    "report": "Decisions",
    "score": "Files",
}
#: Group of commands -> panel of the help. The module has the name of the group, and an `app`.
GROUPS = {
    "layout": "Data and models",
    "features": "Data and models",
    "models": "Data and models",
    "references": "Data and models",
    "cache": "Data and models",
    "plan": "Decisions",
    "keys": "Decisions",
    "jobs": "Files",
    "variants": "Run",
    "wal": "Run",
}


def _version(requested: bool) -> None:
    if requested:
        from fraud.record import CODE_VERSION

        print(f"quorum {CODE_VERSION}")
        raise typer.Exit


@app.callback()
def _quorum(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Real-time fraud decisions by a quorum of models, on Ray Serve."""
    from cluster.node.preflight import check_account

    check_account()  # before any command leaves files that the image's own account cannot open


def _register() -> None:
    for name, panel in COMMANDS.items():
        module = import_module(f"cluster.commands.{name}")
        command = getattr(module, name)
        app.command(name, rich_help_panel=panel, help=_unwrapped(command))(command)
    for name, panel in GROUPS.items():
        module = import_module(f"cluster.commands.{name}")
        for registered in module.app.registered_commands:
            registered.help = _unwrapped(registered.callback)
        app.add_typer(module.app, name=name, rich_help_panel=panel)


def _unwrapped(command: Callable[..., object]) -> str:
    """Return the docstring of a command with one line for each paragraph: the terminal wraps it."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


class _Warnings(logging.Handler):
    """Prints a warning about a setting in one line."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"warning: {record.getMessage()}", file=sys.stderr)


_warnings = _Warnings()


def run(arguments: list[str]) -> int:
    """Run one command. Returns its exit code; no expected failure leaves a traceback."""
    settings_log = logging.getLogger("settings.settings")
    settings_log.addHandler(_warnings)
    settings_log.propagate = False
    try:
        return _run(arguments)
    finally:
        settings_log.removeHandler(_warnings)
        settings_log.propagate = True


def _run(arguments: list[str]) -> int:
    try:
        result = app(arguments or ["--help"], prog_name="quorum", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return fail(CommandFailed("interrupted", "run it again to continue", exit_code=130))
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the help has been shown
            return 2
        return fail(_explained(error))
    return result if isinstance(result, int) else 0


def _explained(error: Exception) -> CommandFailed:
    # Usage errors of Typer: some releases vendor click, so they are recognised by their method.
    message = getattr(error, "format_message", None)
    if message is not None:
        return CommandFailed(message(), "see --help", getattr(error, "exit_code", 2))
    known = explain(error)
    if known is not None:
        return known
    saved = save_traceback(error, Path(os.environ.get("QUORUM_HOME") or ".quorum"))
    what = f"{type(error).__name__}: {error}"
    return CommandFailed(what, f"this is a defect of Quorum; please report it with {saved}")


def main() -> None:
    """Entry point of `quorum`. Only this user can read what it and its child processes write."""
    os.umask(UMASK)
    sys.exit(run(sys.argv[1:]))


_register()

if __name__ == "__main__":
    main()
