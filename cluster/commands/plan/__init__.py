"""`quorum plan`: list, show, diff, draw, simulate, apply, activate, rollback."""

from __future__ import annotations

import typer

from cluster.commands.plan.changing import activate, apply, rollback
from cluster.commands.plan.looking import diff, draw, list_plans, show
from cluster.commands.plan.simulating import simulate

app = typer.Typer(
    help="Read, change and activate plans: who is asked, and how votes become decisions.",
    no_args_is_help=True,
)

app.command("list")(list_plans)
app.command()(show)
app.command()(diff)
app.command()(draw)
app.command()(simulate)
app.command()(apply)
app.command()(activate)
app.command()(rollback)
