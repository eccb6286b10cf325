"""Serve's configuration of HAProxy, corrected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ASKED_AGAIN = "/v1/decisions"
"""Begins the paths whose POST may be sent to another replica when the one that had it died. A
transaction id counts once however often it comes, and a decision that nobody saw binds nobody; a
label that a source repeats is kept once."""

_STATUSES = (400, 408, 413, 500, 501, 502, 503, 504)
"""Those of `answers.ANSWERS`, which more than the standard library is imported for."""
_HEAD_TIMEOUT_S = 15
_BODY_TIMEOUT_S = 15
_HEAD_BYTES = 65536
"""A larger head HAProxy refuses, as a page; a smaller one is for the ingress to judge."""
_HEAD_LINES = 1000
_RETRIES = 4
_REQUEST_ID = r"^[\x21-\x7e]{1,128}$"

_EXPECTED = (
    "\n    stats socket ",
    "\ndefaults\n",
    "\nfrontend http_frontend\n    bind ",
    "\nbackend default_backend\n",
    "\nlisten stats\n",
)

_TEXT_503 = re.compile(r'status 503 content-type text/plain string "[^"]*"')


class UnknownServeConfig(Exception):
    """A configuration in which something is missing that Serve 2.60 writes: it is not known what
    would have to be corrected."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the corrected configuration refers to.

    Attributes:
        answers: folder of `<status>.http`.
        socket: where HAProxy takes commands.
        spare: whether the first of several replicas gets everything while it is up.
    """

    answers: Path
    socket: Path
    spare: bool


def rewrite(config: str, edge: Edge) -> str:
    """The configuration that runs.

    Statistics, metrics and commands are for this user alone: sockets beside each other. What
    HAProxy answers by itself is problem+json; where no replica is up, that is a 503, as what is
    asked for exists. A request that died with its replica goes to another one if that does no
    harm. Serve's fallback proxy is left out: what it says depends on routes that it may not
    know yet. Raises: UnknownServeConfig: see there.
    """
    for part in _EXPECTED:
        if part not in config:
            raise UnknownServeConfig(f"Serve's configuration of HAProxy has no {part.strip()!r}")
    sections = _sections(config)
    return "".join(_corrected(head, lines, edge) for head, lines in sections)


def has_routes(config: str) -> bool:
    """Whether a configuration, Serve's or a corrected one, sends requests anywhere."""
    return "\n    use_backend " in config


def _sections(config: str) -> list[tuple[str, list[str]]]:
    """Sections, each as its first line and the others."""
    found: list[tuple[str, list[str]]] = []
    for line in config.splitlines():
        if line[:1].strip() and not line.startswith("#"):
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
    return found


def _corrected(head: str, lines: list[str], edge: Edge) -> str:
    kind, _, name = head.strip().partition(" ")
    if kind == "global":
        lines = _global(lines, edge)
    elif kind == "defaults":
        lines = _defaults(lines, edge)
    elif head in ("frontend prometheus", "listen stats"):
        at = edge.socket.with_name(f"{head.split()[1]}.sock")
        lines = [re.sub(r"bind \S+", f"bind unix@{at} mode 600", line) for line in lines]
    elif head == "frontend http_frontend":
        lines = _front([_TEXT_503.sub("status 503 default-errorfiles", line) for line in lines])
    elif head == "backend default_backend":
        lines = ["    http-request return status 503 default-errorfiles"]
    elif kind == "backend" and name.startswith("http-"):
        lines = _servers(lines, edge.spare)
    return "\n".join((head, *lines, ""))


def _global(lines: list[str], edge: Edge) -> list[str]:
    ours = ("stats socket ", "tune.bufsize ", "tune.http.maxhdr ")
    kept = [line for line in lines if not line.strip().startswith(ours)]
    return [
        *kept,
        f"    stats socket {edge.socket} mode 600 level admin expose-fd listeners",
        f"    tune.bufsize {_HEAD_BYTES}",
        f"    tune.http.maxhdr {_HEAD_LINES}",
    ]


def _defaults(lines: list[str], edge: Edge) -> list[str]:
    ours = ("errorfile ", "retry-on ", "retries ", "timeout http-request ")
    kept = [line for line in lines if not line.strip().startswith(ours)]
    return [
        *kept,
        *(f"    errorfile {status} {edge.answers}/{status}.http" for status in _STATUSES),
        f"    timeout http-request {_HEAD_TIMEOUT_S}s",
        "    retry-on conn-failure empty-response",
        f"    retries {_RETRIES}",
    ]


def _front(lines: list[str]) -> list[str]:
    """Rules go before those that Serve has: a `return` ends their evaluation."""
    bind = next(i for i, line in enumerate(lines) if line.strip().startswith("bind "))
    return [
        *lines[: bind + 1],
        "    http-request set-var(txn.request_id) req.hdr(x-request-id)",
        # A request is kept for another replica only if all of it is there when it is sent.
        f"    http-request wait-for-body time {_BODY_TIMEOUT_S}s"
        f" if METH_POST {{ path_beg {ASKED_AGAIN} }}",
        f"    http-request disable-l7-retry if !METH_GET !{{ path_beg {ASKED_AGAIN} }}",
        # Replicas put it on their own answers.
        "    http-after-response set-header x-request-id %[var(txn.request_id)]"
        f" if !{{ res.hdr(x-request-id) -m found }} {{ var(txn.request_id) -m reg {_REQUEST_ID} }}",
        *lines[bind + 1 :],
    ]


def _servers(lines: list[str], spare: bool) -> list[str]:
    lines = [line for line in lines if not line.endswith(" backup")]
    # All to the first that is up. Not `backup`: a request that died with the first goes to another
    # one at once, and a backup is asked only when the first is known to be down.
    return ["    balance first", *lines] if spare else lines
