"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.errors import CommandFailed

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
HostOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Address of this machine for the other nodes.",
        show_default="QUORUM_HOST",
    ),
]
ForegroundOption = Annotated[
    bool,
    typer.Option(
        "--foreground",
        help="Keep running, and stop in order on SIGTERM: for containers and systemd.",
    ),
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
        help="Make the models the house's, which decide for every tenant without its own, even if"
        " they learnt from another tenant's payments.",
    ),
]
EVERY_TENANT_HINT = "--for-every-tenant makes them the house's all the same"


def load_settings(tenant: str | None = None) -> Settings:
    """Return the settings, for `tenant` if it is given.

    Raises:
        CommandFailed: `tenant` is not the name of a tenant.
    """
    from fraud.payment.limits import tenant_problem
    from settings.settings import Settings

    settings = Settings.load()
    if tenant is None:
        return settings
    problem = tenant_problem(tenant)
    if problem is not None:
        raise CommandFailed(f"--tenant {tenant!r} {problem.detail}", "see --help", 2)
    return settings.for_tenant(tenant)
