"""The error of a command that cannot go on."""

from __future__ import annotations


class CommandFailed(Exception):
    """A command cannot go on, for a reason that its user can do something about.

    Args:
        what: what went wrong, in one line, without secrets.
        hint: what to do next, in one line; "" if `what` is enough.
        exit_code: exit code of the process; 1, or 2 for wrong usage.
    """

    def __init__(self, what: str, hint: str, exit_code: int = 1) -> None:
        super().__init__(what, hint, exit_code)
        self.what = what
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.what} — {self.hint}" if self.hint else self.what
