"""One request to the console, as its pages see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from fraud.errors import InvalidInput
from serve_app.console.parts import Parts
from serve_app.console.session import Session, is_token
from serve_app.http.exchange import Body
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.job_bodies import read_job_id

MAX_FORM_BYTES: Final = 256 * 1024
MAX_FIELDS: Final = 1000
_FORM = "application/x-www-form-urlencoded"


class ForeignForm(Exception):
    """A form that did not come from a page of ours, or from one of another sign-in."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request.

    Attributes:
        body: of the request, not read yet.
        session: who is signed in; None on pages that need nobody.
    """

    request: Request
    parts: Parts
    body: Body
    session: Session | None = None

    @property
    def signed_in(self) -> Session:
        """Who is signed in; only on pages that need somebody."""
        assert self.session is not None
        return self.session

    @property
    def tenant(self) -> str:
        """Whose pages these are."""
        return self.signed_in.principal.tenant

    @property
    def job_id(self) -> UUID:
        """The job in the path.

        Raises:
            NotFound: it is no id.
        """
        return read_job_id(self.request.path_params["job_id"])

    @property
    def content_type(self) -> str:
        """What the browser says that it sends; "" if nothing."""
        return self.request.headers.get("content-type", "")

    async def form(self) -> dict[str, list[str]]:
        """Return the fields of a small form: name -> values. Its token was checked if somebody is
        signed in.

        Raises:
            HttpProblem: 408, 413 or 415.
            InvalidInput: too many fields, or not UTF-8.
            ForeignForm: the token is wrong.
        """
        if self.content_type.partition(";")[0].strip().lower() != _FORM:
            raise HttpProblem("unsupported-media-type", "Send the form as the page does")
        raw = await self.body.read(MAX_FORM_BYTES)
        try:
            fields = parse_qs(
                raw.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MAX_FIELDS,
            )
        except ValueError:
            raise InvalidInput("the form cannot be read") from None
        if self.session is not None:
            self.require_token(fields.get("token", [""])[-1])
        return fields

    def require_token(self, given: str) -> None:
        """Do nothing if a form carries the token of its sender.

        Raises:
            ForeignForm: it does not.
        """
        if not is_token(self.signed_in, given):
            raise ForeignForm


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """A method on a path.

    Attributes:
        method: GET or POST.
        path: below the console's own, with parameters in braces.
        handler: answers it.
        is_private: it needs somebody who is signed in.
    """

    method: str
    path: str
    handler: Handler
    is_private: bool = True
