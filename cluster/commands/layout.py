"""`quorum layout`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cluster.commands.options import PaymentsFile
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit

app = typer.Typer(no_args_is_help=True, help="Layouts: the meaning of the columns of a file.")


@app.command("guess")
def guess(
    file: PaymentsFile,
    out: Annotated[
        Path | None, typer.Option(help="File to write the layout to.", show_default="stdout")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Guess a layout for a file. Check it, then try it with `quorum load --dry-run`."""
    from data.files.source import SourceUnreadable
    from data.guess.guess import guess_layout
    from data.layout.layout import LayoutInvalid

    if out is not None and out.exists() and not force:
        raise CommandFailed(f"{out} exists already", "--force replaces it")
    try:
        toml = guess_layout(file)
    except SourceUnreadable as error:
        raise CommandFailed(str(error.args[0]), "check the file") from None
    except LayoutInvalid as error:
        hint = "write one by hand, see docs/layouts.md"
        raise CommandFailed(f"cannot guess a layout: {error.args[0]}", hint) from None
    if out is None:
        sys.stdout.write(toml)
    else:
        out.write_text(toml, encoding="utf-8")
        typer.echo(
            f"wrote {out}; try it with: quorum load --dry-run --layout {out} {file}", err=True
        )


@app.command("list")
def list_layouts(as_json: JsonFlag = False) -> None:
    """List the layouts that come with Quorum."""
    from data.layout.layout import layout_names, load_layout

    found = [{"name": name, "about": load_layout(name).about} for name in layout_names()]
    emit(found, as_json, lambda rows: "\n".join(f"{r['name']:<14} {r['about']}" for r in rows))
