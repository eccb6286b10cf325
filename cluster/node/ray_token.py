"""The token for Ray: written where Ray looks for it, readable by its user only."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cluster.errors import CommandFailed
from cluster.terminal.console import print_line
from stores.whole_file import replace_file


def provide(environment: Mapping[str, str]) -> None:
    """Create the token if there is none, and close its file to other users.

    A file that is mounted read-only is taken as it is. Docker and Kubernetes provide secrets so,
    under whatever user, and who else reads it there is up to them.

    Args:
        environment: environment of the node. RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH and RAY_AUTH_MODE
            have the same meaning as for Ray.

    Raises:
        CommandFailed: the file belongs to another user, or cannot be written.
    """
    if environment.get("RAY_AUTH_MODE") != "token" or environment.get("RAY_AUTH_TOKEN"):
        return
    path = _path(environment)
    try:
        found = path.stat()
    except FileNotFoundError:
        _make(path)
        return
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return
    if found.st_uid != os.geteuid():
        raise CommandFailed(f"Ray's token {path} belongs to uid {found.st_uid}", _HINT)
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o600)
        print_line(f"other users could read {path}: removed their access")


def headers() -> dict[str, str]:
    """Return the HTTP headers with the token. Ray finds the token, as for `serve deploy`."""
    if os.environ.get("RAY_AUTH_MODE") != "token":
        return {}
    from ray._private.authentication import http_token_authentication

    return dict(http_token_authentication.get_auth_headers_if_auth_enabled({}))


def _path(environment: Mapping[str, str]) -> Path:
    given = environment.get("RAY_AUTH_TOKEN_PATH")
    return Path(given) if given else Path(environment.get("HOME", "~")).expanduser() / _DEFAULT


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, secrets.token_hex(32).encode())
    except OSError as error:
        raise CommandFailed(f"Ray's token cannot be written to {path}: {error}", _HINT) from error


_DEFAULT = ".ray/auth_token"
_HINT = "set RAY_AUTH_TOKEN_PATH to another file"
