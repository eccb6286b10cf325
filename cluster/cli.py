"""`quorum`: the command line. Each command is a module of `cluster/commands` with its noun.

Command modules are imported for every command, so they import ray, mlflow, xgboost, pandas and
the like inside their functions: `quorum --help` answers in a fraction of a second.
"""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from cluster.home.private_folder import UMASK
from cluster.terminal.failures import explain, save_traceback
from cluster.terminal.terminal import CommandFailed, fail

app = typer.Typer(
    name="quorum",
    help="Real-time fraud decisions by a quorum of models, on Ray Serve.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: Command -> (panel of the help, name); the module and its function carry the command's name.
COMMANDS = {
    "up": "Run",
    "down": "Run",
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
}
GROUPS = {
    "layout": "Data and models",
    "features": "Data and models",
    "models": "Data and models",
    "keys": "Decisions",
}


def _version(wanted: bool) -> None:
    if wanted:
        from fraud.record import CODE_VERSION

        print(f"quorum {CODE_VERSION}")
        raise typer.Exit


@app.callback()
def _quorum(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which one.")
    ] = False,
) -> None:
    """Real-time fraud decisions by a quorum of models, on Ray Serve."""


def _register() -> None:
    for name, panel in COMMANDS.items():
        module = import_module(f"cluster.commands.{name}")
        app.command(name, rich_help_panel=panel)(getattr(module, name))
    for name, panel in GROUPS.items():
        module = import_module(f"cluster.commands.{name}")
        app.add_typer(module.app, name=name, rich_help_panel=panel)


class _Warnings(logging.Handler):
    """Says what is wrong with settings, in a line each."""

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
        outcome = app(arguments or ["--help"], prog_name="quorum", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return fail(CommandFailed("interrupted", "run it again to go on", exit_code=130))
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the help has been shown
            return 2
        return fail(_explained(error))
    return outcome if isinstance(outcome, int) else 0


def _explained(error: Exception) -> CommandFailed:
    # Typer's own errors (usage): some releases vendor click, so they are known by their method.
    message = getattr(error, "format_message", None)
    if message is not None:
        return CommandFailed(message(), "see --help", getattr(error, "exit_code", 2))
    known = explain(error)
    if known is not None:
        return known
    saved = save_traceback(error, Path(os.environ.get("QUORUM_HOME") or ".quorum"))
    what = f"{type(error).__name__}: {error}"
    return CommandFailed(what, f"this is a defect; its traceback is in {saved}")


def main() -> None:
    """Entry point of `quorum`. What it and all that it starts write is for this user alone."""
    os.umask(UMASK)
    sys.exit(run(sys.argv[1:]))


_register()

if __name__ == "__main__":
    main()
