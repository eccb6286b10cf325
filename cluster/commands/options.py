"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

ForEveryTenant = Annotated[
    bool,
    typer.Option(
        "--for-every-tenant",
        help="Replace the champions even if they learnt from another tenant's payments.",
    ),
]
EVERY_TENANT_HINT = "--for-every-tenant replaces them for everybody"
