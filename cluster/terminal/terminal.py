"""What the command line says: progress on stderr, results on stdout, failures in one line."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from stores.redaction import redacted

T = TypeVar("T")

#: Progress and failures. Results go to stdout, so that a pipe gets nothing else.
progress = Console(stderr=True, highlight=False)
results = Console(highlight=False)

#: Annotation of the `--json` flag: `as_json: JsonFlag = False`.
JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


class CommandFailed(Exception):
    """A command that cannot go on, for a reason its user can do something about.

    Args:
        what: what went wrong, one line, no secrets.
        hint: what to do next, one line.
        exit_code: of the process; 1, or 2 for wrong usage.
    """

    def __init__(self, what: str, hint: str, exit_code: int = 1) -> None:
        super().__init__(what, hint, exit_code)
        self.what = what
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.what} — {self.hint}" if self.hint else self.what


def emit(data: T, as_json: bool, render: Callable[[T], Any]) -> None:
    """Report a result on stdout.

    Args:
        data: JSON-ready, or with times (printed as RFC 3339, in UTC) and values that `str` turns
            into their JSON form (paths, UUIDs).
        as_json: print `data` as one JSON document and call nothing else.
        render: makes what a person reads: a string or any rich renderable; None prints nothing.
    """
    if as_json:
        sys.stdout.write(json.dumps(data, default=_plain, indent=2, ensure_ascii=False) + "\n")
        return
    shown = render(data)
    if isinstance(shown, str):
        results.print(_lines(shown, results.width), soft_wrap=True)
    elif shown is not None:
        results.print(shown)


def _lines(text: str, width: int) -> str:
    """`text` in lines of `width` columns. A longer word, such as a path, stays in one piece: it is
    there to be copied."""
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def say(line: str) -> None:
    """One plain line of progress on stderr; brackets in it are not markup."""
    progress.print(escape(_lines(redacted(line), progress.width)), soft_wrap=True)


def fail(error: CommandFailed) -> int:
    """Say why, in one line of at most 500 characters on stderr. Returns the exit code."""
    line = redacted(" ".join(f"error: {error}".split()))
    print(line if len(line) <= 500 else line[:499] + "…", file=sys.stderr)
    return error.exit_code


class Step:
    """A step that is going on: `note` says how far it is, `result` what stays on its line."""

    def __init__(self, title: str, started: float) -> None:
        self.title = title
        self.started = started
        self.result = ""
        self._update: Callable[[str], None] = lambda _: None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started

    def note(self, text: str) -> None:
        """Replace what is shown beside the title while the step runs."""
        self._update(text)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show one step of a long command: a spinner on a terminal, then a line with its seconds.

    A step that raises leaves a line with a cross; the error itself is reported by `main`.
    """
    running = Step(title, time.monotonic())
    with progress.status(_going_on(title, "")) as status:
        running._update = lambda text: status.update(_going_on(title, text))
        try:
            yield running
        except BaseException:
            progress.print(f"[red]✗[/red] {escape(title)} [dim]{running.elapsed_s:.1f} s[/dim]")
            raise
    said = f" [dim]{escape(running.result)}[/dim]" if running.result else ""
    seconds = f"[dim]{running.elapsed_s:.1f} s[/dim]"
    progress.print(f"[green]✓[/green] {escape(title)}{said} {seconds}", soft_wrap=True)


def _going_on(title: str, note: str) -> str:
    return f"{escape(title)} [dim]{escape(note)}[/dim]" if note else escape(title)
