"""Owners in names of folders and of MLflow's aliases, which allow fewer characters than tenants.

Lower-case letters, digits and dashes stand for themselves; every other character is `_` and its
code in two hex digits. So no two tenants share a name where case does not count, no name is a path,
and none ends like a file of ours.
"""

from __future__ import annotations

import re

from fraud.errors import ArtifactRefused
from fraud.payment.limits import tenant_problem

_PLAIN = re.compile(r"[a-z0-9-]")
_CODE = re.compile(r"(?:[a-z0-9-]|_[0-9a-f]{2})+")
_ESCAPE = re.compile(r"_([0-9a-f]{2})")


def owner_code(owner: str) -> str:
    """Return the code of a tenant's name; `owner_from` inverts it.

    Raises:
        ArtifactRefused: it is not the name of a tenant.

    >>> owner_code("mine"), owner_code("Acme.eu")
    ('mine', '_41cme_2eeu')
    """
    if tenant_problem(owner) is not None:
        raise ArtifactRefused(f"{owner!r} is not the name of a tenant")
    return "".join(c if _PLAIN.fullmatch(c) else f"_{ord(c):02x}" for c in owner)


def owner_from(code: str) -> str | None:
    """Return the tenant of a code; None if it is not a code that `owner_code` gives.

    >>> owner_from("_41cme_2eeu"), owner_from("_6dine"), owner_from("..")
    ('Acme.eu', None, None)
    """
    if not _CODE.fullmatch(code):
        return None
    owner = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), code)
    return owner if tenant_problem(owner) is None and owner_code(owner) == code else None
