"""Corrects Serve's configuration of HAProxy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cluster.edge.options import EdgeOptions

RETRIED_PREFIX = "/v1/decisions"
"""Prefix of paths whose POST may be sent to another replica if the first one died. That is safe: a
transaction id counts once however often it comes, a decision that no client saw has no effect, and
a repeated label is stored once."""

ROOT = "/"
"""Prefix of the application `decisions`."""

LONG_PREFIXES = ("/v1/jobs", "/console")
"""Prefixes of applications whose answers may take minutes: a file is matched before its job is
answered. They may start after `decisions`, which knows none of their paths."""

OWN_PATHS = ("/metrics", "/v2/health/live", "/v2/health/ready")
"""What a node's own front answers."""

_STATUSES = (400, 408, 413, 500, 501, 502, 503, 504)
"""The keys of `answers.ANSWERS`, which cannot be imported here: standard library only."""
_HEAD_TIMEOUT_S = 15
_BODY_TIMEOUT_S = 15
_LONG_ANSWER_TIMEOUT_S = 600
_LONG_REQUEST_S = 3600
_HEAD_BYTES = 65536
"""HAProxy refuses larger heads by itself; the ingress checks smaller ones."""
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

_PREFIX = re.compile(r"    acl is_(\S+) path_beg (/\S*)")
_TEXT_503 = re.compile(r'status 503 content-type text/plain string "[^"]*"')


class UnknownServeConfig(Exception):
    """A part that Serve 2.60 writes is missing, so that we do not know what to correct."""


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """Values for the corrected configuration.

    Attributes:
        answers: folder of `<status>.http`.
        socket: HAProxy's admin socket.
        options: what the edge depends on.
    """

    answers: Path
    socket: Path
    options: EdgeOptions


def rewrite(config: str, edge: EdgeConfig) -> str:
    """Return the corrected configuration.

    - Statistics, metrics and commands are on sockets that only this user can open.
    - HAProxy's own answers are problem+json. Without a running replica it answers 503, not 404.
    - A request whose replica died goes to another one if that is safe.
    - Serve's fallback proxy is removed: its answers depend on routes that it may not know yet.
    - An application that has not started yet is 503, too, and not taken for `decisions`.
    - Answers about jobs may take minutes.
    - Replicas of other nodes get requests only while none of this node is up.
    - A front of its own leads to this node's replicas of `decisions` alone, for load balancers and
      Prometheus.

    Raises:
        UnknownServeConfig: a part is missing that Serve is known to write.
    """
    for part in _EXPECTED:
        if part not in config:
            raise UnknownServeConfig(f"Serve's configuration of HAProxy has no {part.strip()!r}")
    sections, prefixes = _sections(config), _prefixes(config)
    corrected = [_corrected(head, lines, edge, prefixes) for head, lines in sections]
    return "".join((*corrected, _own_front(sections, edge.options, prefixes)))


def has_routes(config: str) -> bool:
    """Return whether a configuration, Serve's or a corrected one, has a route to `decisions`."""
    return ROOT in _prefixes(config).values()


def _prefixes(config: str) -> dict[str, str]:
    """Return backend -> prefix of the paths that it answers."""
    found = (match for line in config.splitlines() if (match := _PREFIX.fullmatch(line)))
    return {match[1]: match[2].rstrip("/") or ROOT for match in found}


def _sections(config: str) -> list[tuple[str, list[str]]]:
    """Split a configuration into sections: the first line of each, and the others."""
    found: list[tuple[str, list[str]]] = []
    for line in config.splitlines():
        if line[:1].strip() and not line.startswith("#"):
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
    return found


def _corrected(head: str, lines: list[str], edge: EdgeConfig, prefixes: dict[str, str]) -> str:
    kind, _, name = head.strip().partition(" ")
    if kind == "global":
        lines = _global(lines, edge)
    elif kind == "defaults":
        lines = _defaults(lines, edge)
    elif head in ("frontend prometheus", "listen stats"):
        at = edge.socket.with_name(f"{head.split()[1]}.sock")
        lines = [re.sub(r"bind \S+", f"bind unix@{at} mode 600", line) for line in lines]
    elif head == "frontend http_frontend":
        lines = [_TEXT_503.sub("status 503 default-errorfiles", line) for line in lines]
        lines = _front(lines, [p for p in LONG_PREFIXES if p not in prefixes.values()])
    elif head == "backend default_backend":
        lines = ["    http-request return status 503 default-errorfiles"]
    elif kind == "backend" and name.startswith("http-"):
        lines = _servers(lines, edge.options)
        if prefixes.get(name) in LONG_PREFIXES:
            lines = [*lines, f"    timeout server {_LONG_ANSWER_TIMEOUT_S}s"]
    return "\n".join((head, *lines, ""))


def _global(lines: list[str], edge: EdgeConfig) -> list[str]:
    ours = ("stats socket ", "tune.bufsize ", "tune.http.maxhdr ", "hard-stop-after ")
    kept = [line for line in lines if not line.strip().startswith(ours)]
    return [
        *kept,
        f"    stats socket {edge.socket} mode 600 level admin expose-fd listeners",
        f"    tune.bufsize {_HEAD_BYTES}",
        f"    tune.http.maxhdr {_HEAD_LINES}",
        # Each change of replicas starts a new HAProxy. The old one ends its requests: a download
        # may take longer than Serve's two minutes.
        f"    hard-stop-after {_LONG_REQUEST_S}s",
    ]


def _defaults(lines: list[str], edge: EdgeConfig) -> list[str]:
    ours = ("errorfile ", "retry-on ", "retries ", "timeout http-request ")
    kept = [line for line in lines if not line.strip().startswith(ours)]
    return [
        *kept,
        *(f"    errorfile {status} {edge.answers}/{status}.http" for status in _STATUSES),
        f"    timeout http-request {_HEAD_TIMEOUT_S}s",
        "    retry-on conn-failure empty-response",
        f"    retries {_RETRIES}",
    ]


def _front(lines: list[str], absent: list[str]) -> list[str]:
    """Insert our rules before Serve's, which may end the evaluation with a `return`.

    Args:
        absent: prefixes of applications that have no route yet.
    """
    bind = next(i for i, line in enumerate(lines) if line.strip().startswith("bind "))
    return [
        *lines[: bind + 1],
        "    http-request set-var(txn.request_id) req.hdr(x-request-id)",
        # HAProxy can only retry a request that it has received completely.
        f"    http-request wait-for-body time {_BODY_TIMEOUT_S}s"
        f" if METH_POST {{ path_beg {RETRIED_PREFIX} }}",
        f"    http-request disable-l7-retry if !METH_GET !{{ path_beg {RETRIED_PREFIX} }}",
        # Replicas set it on their own answers.
        "    http-after-response set-header x-request-id %[var(txn.request_id)]"
        f" if !{{ res.hdr(x-request-id) -m found }} {{ var(txn.request_id) -m reg {_REQUEST_ID} }}",
        *(
            f"    http-request return status 503 default-errorfiles if {{ path {prefix} }} or"
            f" {{ path_beg {prefix}/ }}"
            for prefix in absent
        ),
        *lines[bind + 1 :],
    ]


def _servers(lines: list[str], options: EdgeOptions) -> list[str]:
    """Put the replicas of this node before those of others."""
    lines = [line for line in lines if not line.endswith(" backup")]
    own = [line for line in lines if _is_own(line, options)]
    others = [line for line in lines if _is_server(line) and line not in own]
    rest = [line for line in lines if not _is_server(line)]
    # `first` sends everything to the first server that is up. Not `backup`: a backup gets no
    # retries until the servers before it are known to be down.
    if options.spare or (others and len(own) < 2):
        return ["    balance first", *rest, *own, *others]
    return [*rest, *own, *(f"{line} backup" for line in others)]


def _own_front(
    sections: list[tuple[str, list[str]]], options: EdgeOptions, prefixes: dict[str, str]
) -> str:
    """Return a front and its backend with the replicas of this node alone."""
    backends = (lines for head, lines in sections if prefixes.get(head.split()[-1]) == ROOT)
    lines = [
        line
        for line in next(backends, [])
        if not line.endswith(" backup") and (not _is_server(line) or _is_own(line, options))
    ]
    if not any(map(_is_server, lines)):
        lines = ["    http-request return status 503 default-errorfiles"]
    paths = " ".join(OWN_PATHS)
    return "\n".join(
        (
            "frontend own_front",
            f"    bind {options.own_front}",
            f"    http-request return status 404 content-type text/plain string "
            f'"this port has {", ".join(OWN_PATHS)}" if !{{ path {paths} }}',
            "    default_backend own",
            "backend own",
            *lines,
            "",
        )
    )


def _is_server(line: str) -> bool:
    return line.strip().startswith("server ")


def _is_own(line: str, options: EdgeOptions) -> bool:
    """Return whether a line names a replica of this node. Serve writes them with 127.0.0.1."""
    if not _is_server(line):
        return False
    host = line.split()[2].rpartition(":")[0].strip("[]")
    return host in (options.host, "127.0.0.1", "::1")
