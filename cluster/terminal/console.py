"""Output of the command line: progress on stderr, results on stdout, failures in one line."""

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

from cluster.errors import CommandFailed
from stores.redaction import redacted

T = TypeVar("T")

#: Progress and failures go to stderr, so that a pipe gets results only.
progress = Console(stderr=True, highlight=False)
results = Console(highlight=False)

#: Annotation of the `--json` flag: `as_json: JsonFlag = False`.
JsonFlag = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


def emit(data: T, as_json: bool, render: Callable[[T], Any]) -> None:
    """Print the result of a command on stdout.

    Args:
        data: JSON-ready. Times are allowed (printed as RFC 3339, in UTC), and so are values whose
            `str` is their JSON form (paths, UUIDs).
        as_json: print `data` as one JSON document; `render` is not called.
        render: turns `data` into a string or a rich renderable for people; None prints nothing.
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
    """Wrap `text` at `width` columns. A longer word, such as a path, is not broken: people copy
    it."""
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def print_line(line: str) -> None:
    """Print one plain line of progress on stderr; brackets in it are not markup."""
    progress.print(escape(_lines(redacted(line), progress.width)), soft_wrap=True)


def fail(error: CommandFailed) -> int:
    """Print the error on stderr, in one line of at most 500 characters. Returns the exit code."""
    line = redacted(" ".join(f"error: {error}".split()))
    print(line if len(line) <= 500 else line[:499] + "…", file=sys.stderr)
    return error.exit_code


class Step:
    """A running step: `note` shows its progress, `result` stays on its line when it is done."""

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
        """Replace the text beside the title while the step runs."""
        self._update(text)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show one step of a long command: a spinner on a terminal, then a line with its duration.

    A step that raises leaves a line with a cross; `main` reports the error itself.
    """
    running = Step(title, time.monotonic())
    with progress.status(_titled(title, "")) as status:
        running._update = lambda text: status.update(_titled(title, text))
        try:
            yield running
        except BaseException:
            progress.print(f"[red]✗[/red] {escape(title)} [dim]{running.elapsed_s:.1f} s[/dim]")
            raise
    result = f" [dim]{escape(running.result)}[/dim]" if running.result else ""
    seconds = f"[dim]{running.elapsed_s:.1f} s[/dim]"
    progress.print(f"[green]✓[/green] {escape(title)}{result} {seconds}", soft_wrap=True)


def _titled(title: str, note: str) -> str:
    return f"{escape(title)} [dim]{escape(note)}[/dim]" if note else escape(title)
