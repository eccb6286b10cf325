"""Every error of Quorum, as a tree.

Errors cross Ray by pickle, which rebuilds them as `cls(*self.args)`: every class passes all of its
arguments to `super().__init__`, by position.

    QuorumError
    ├── InvalidInput            the caller's request is wrong (4xx)
    ├── SettingInvalid          a setting cannot be used
    ├── Unavailable             a dependency of the answer does not answer (503)
    │   ├── StoreUnavailable    Redis or PostgreSQL
    │   │   └── StoreUnreachable  no connection can be made to it
    │   ├── ArtifactsUnavailable  the store of model artifacts
    │   ├── VariantUnavailable  a model pool
    │   └── LogUnavailable      the decision log cannot make a record durable
    ├── Overloaded              too many requests are waiting (503 and Retry-After)
    ├── RateLimited             more rows than the key's tier allows (429 and Retry-After)
    ├── NotFound
    ├── Conflict                the request contradicts what is on record (409)
    ├── Busy                    another process does the same work
    │   └── LeaseLost           another runner has taken the job over
    ├── ArtifactRefused         a model artifact is damaged, of another schema, or wrong
    ├── OtherTenant             models learnt from the payments of another tenant
    ├── NotTrainable            no model can be trained on this history or configuration
    └── SchemaMismatch          features of one schema met a model of another
"""

from __future__ import annotations


class QuorumError(Exception):
    """Root of the tree. `args[0]` is a message for an operator, without secrets."""


class InvalidInput(QuorumError):
    """A request that is wrong.

    Args:
        detail: one sentence about the request as a whole.
        errors: `(pointer, code, detail)` of each wrong field; the pointer is RFC 6901.
    """

    def __init__(self, detail: str, errors: tuple[tuple[str, str, str], ...] = ()) -> None:
        super().__init__(detail, errors)
        self.detail = detail
        self.errors = errors


class SettingInvalid(QuorumError):
    """A setting that cannot be used.

    Args:
        variable: the environment variable that sets it.
        why: what is wrong, without the value.
        hint: what is expected.
    """

    def __init__(self, variable: str, why: str, hint: str) -> None:
        super().__init__(variable, why, hint)
        self.variable = variable
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.variable}: {self.why}; {self.hint}"


class Unavailable(QuorumError):
    """A dependency of the answer does not answer."""


class StoreUnavailable(Unavailable):
    """Redis or PostgreSQL does not answer."""


class StoreUnreachable(StoreUnavailable):
    """No connection can be made to Redis or PostgreSQL.

    Args:
        detail: what happened, without secrets.
        variable: the environment variable that holds the store's address.
        hint: what to do if a user has set that variable.
    """

    def __init__(self, detail: str, variable: str, hint: str) -> None:
        super().__init__(detail, variable, hint)
        self.detail = detail
        self.variable = variable
        self.hint = hint

    def __str__(self) -> str:
        return self.detail


class ArtifactsUnavailable(Unavailable):
    """The store of model artifacts does not answer, or denies access."""


class VariantUnavailable(Unavailable):
    """A model pool does not answer."""


class LogUnavailable(Unavailable):
    """A decision cannot be made durable, so it must not be returned."""


class Overloaded(QuorumError):
    """More requests wait than can be answered in time.

    Args:
        detail: what is full.
        retry_after_s: seconds until a retry is worthwhile, >= 0.
    """

    def __init__(self, detail: str, retry_after_s: float = 1.0) -> None:
        super().__init__(detail, retry_after_s)
        self.detail = detail
        self.retry_after_s = retry_after_s


class RateLimited(QuorumError):
    """More rows than a limit allows.

    Args:
        limit: name of the limit: `key` or `customer`.
        rows: most rows in any period of `window_s` seconds.
        window_s: length of that period, seconds.
        wait_s: seconds until one more row is admitted, > 0.
    """

    def __init__(self, limit: str, rows: int, window_s: int, wait_s: float) -> None:
        super().__init__(limit, rows, window_s, wait_s)
        self.limit = limit
        self.rows = rows
        self.window_s = window_s
        self.wait_s = wait_s

    def __str__(self) -> str:
        return f"more than {self.rows} rows of one {self.limit} in {self.window_s} s"


class NotFound(QuorumError):
    """It does not exist, or belongs to another tenant."""


class Conflict(QuorumError):
    """The request contradicts what is on record.

    Args:
        detail: one sentence for the caller.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Busy(QuorumError):
    """Another process is doing work that only one may do at a time."""


class LeaseLost(Busy):
    """Another runner holds the job by now: this one must leave it alone."""


class ArtifactRefused(QuorumError):
    """An artifact is damaged, of another schema, or does not reproduce its golden rows."""


class OtherTenant(QuorumError):
    """Models would become champions of an owner whose payments they have not learnt from."""


class NotTrainable(QuorumError):
    """There is too little history, a part of it has no known fraud, or the training configuration
    cannot be met. `args[0]` states which, and what to do."""


class SchemaMismatch(QuorumError):
    """Features of one schema met a model of another.

    Args:
        expected: schema id of the model.
        got: schema id of the features.
    """

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(expected, got)
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"the model was trained on feature schema {self.expected}, not {self.got}"
