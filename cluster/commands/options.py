"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from settings.settings import Settings

PaymentsFile = Annotated[
    Path, typer.Argument(help="File of payments: CSV (.csv, .csv.gz) or Parquet.")
]
LayoutOption = Annotated[
    str,
    typer.Option(
        help="Meaning of the file's columns: the name of a layout (`quorum layout list`), or your"
        " own TOML file."
    ),
]
LimitOption = Annotated[
    int | None, typer.Option(min=1, help="Stop after this many rows of the file.")
]
TenantOption = Annotated[
    str | None, typer.Option(help="Tenant to work for.", show_default="QUORUM_TENANT")
]
ServeConfigOption = Annotated[
    Path | None, typer.Option(help="Serve configuration file.", show_default="serve_config.yaml")
]
ServeTimeoutOption = Annotated[
    float, typer.Option(min=1, help="Longest wait for the applications to run, in seconds.")
]
TrainConfigOption = Annotated[
    Path | None,
    typer.Option(help="TOML file with training parameters that differ from the defaults."),
]
GatesOption = Annotated[
    Path | None,
    typer.Option(
        "--gates", help="TOML file with limits of the gates that differ from the defaults."
    ),
]
ForEveryTenant = Annotated[
    bool,
    typer.Option(
        "--for-every-tenant",
        help="Replace the champions even if they were trained on another tenant's payments.",
    ),
]
EVERY_TENANT_HINT = "--for-every-tenant replaces them for all tenants"


def load_settings(tenant: str | None = None) -> Settings:
    """Return the settings, for `tenant` if it is given."""
    from settings.settings import Settings

    settings = Settings.load()
    return settings if tenant is None else settings.model_copy(update={"tenant": tenant})
