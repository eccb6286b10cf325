"""Errors that a caller of the gateway may get besides those of `fraud.errors`."""

from __future__ import annotations

from fraud.errors import QuorumError
from references.matching.match import Match


class Unauthenticated(QuorumError):
    """No valid API key came with the request. Deliberately the same for every reason: which keys
    exist is not disclosed."""


class InsufficientScope(QuorumError):
    """The API key is valid, but has no right to do this.

    Args:
        scope: the scope that is needed, one of `fraud.access.scopes.SCOPES`.
    """

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope

    def __str__(self) -> str:
        return f"the API key lacks the scope {self.scope}"


class CallerGone(QuorumError):
    """The caller left before its rows were decided: there is nobody to answer."""


class MatchRefused(QuorumError):
    """No reference model fits the file.

    Args:
        match: what was compared, and why nothing fits.
    """

    def __init__(self, match: Match) -> None:
        super().__init__(match)
        self.match = match

    def __str__(self) -> str:
        return "no reference model fits the file"


class TooManyJobs(QuorumError):
    """A tenant has too many jobs that have not ended.

    Args:
        most: how many it may have.
        retry_after_s: seconds until a retry is worthwhile, > 0.
    """

    def __init__(self, most: int, retry_after_s: float) -> None:
        super().__init__(most, retry_after_s)
        self.most = most
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"a tenant may have {self.most} jobs that have not ended"


def unwrapped(error: BaseException) -> BaseException:
    """Return the original error of one that Ray has wrapped, any other as it is."""
    for _ in range(8):
        cause = getattr(error, "cause", None)
        if not isinstance(cause, BaseException):
            break
        error = cause
    return error
