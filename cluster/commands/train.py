"""`quorum train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.commands.options import (
    EVERY_TENANT_HINT,
    ForEveryTenant,
    TenantOption,
    TrainConfigOption,
)
from cluster.commands.train_runs import (
    AutoOptions,
    Outputs,
    run_auto,
    run_history,
    run_named_protocol,
    run_tabular,
)
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.tables.protocol import protocol_table
from cluster.terminal.tables.training import training_table

if TYPE_CHECKING:
    from training.config import TrainConfig


def train(
    file: Annotated[
        Path | None,
        typer.Argument(help="With --auto or --tabular: CSV or Parquet file of the data set."),
    ] = None,
    auto: Annotated[
        bool,
        typer.Option(
            "--auto",
            help="Find out what the columns of FILE are, and train on it: on its customers' history"
            " if it has customers and times, else on its columns. No plan changes.",
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            help="With --auto: name of the set; the models are named <name>-<variant>.",
            show_default="the file's",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN[=TEXT]",
            help="With --auto: the column of the label, and the text in it that means fraud.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="With --auto: leave a column out; repeatable."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="With --auto: minutes to search parameters for; 0: no search.",
            show_default="3",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --auto: print what FILE is, and stop.")
    ] = False,
    config: TrainConfigOption = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Random seed. The same seed and data give the same models."),
    ] = None,
    tenant: TenantOption = None,
    tabular: Annotated[
        str | None,
        typer.Option(
            metavar="LAYOUT",
            help="Train on the columns of FILE instead of history: a layout with a section"
            " \\[tabular], or your own TOML file. The models are named <layout>-<variant>; no plan"
            " changes.",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Run a published evaluation protocol: handbook, ulb or sparkov. Registers nothing."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="With --protocol: folder of the data sets.", show_default="../shared/data"
        ),
    ] = None,
    allow_leaks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE",
            help="Train even if the leak guard finds CODE; recorded with the run.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Register models even if they beat neither chance nor a baseline; needs --reason.",
        ),
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Reason for --force, kept with the models.")
    ] = None,
    search_trials: Annotated[
        int | None,
        typer.Option(min=1, help="First search the parameters of each variant: number of trials."),
    ] = None,
    search_minutes: Annotated[
        float | None,
        typer.Option(min=0.1, help="Time limit of the search, for all variants together."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.parquet", help="Write the models' predictions for the test rows."
        ),
    ] = None,
    for_every_tenant: ForEveryTenant = False,
    as_json: JsonFlag = False,
) -> None:
    """Train the variants on history, register them as champions and activate their plan.

    With --auto or --tabular they are trained on a FILE instead, and no plan changes.

    The home tenant's models and plan are the house's: they decide for every tenant without its own.
    With --tenant, another tenant gets its own champions and plan, which decide for it alone.

    History is split by time: the models are tested on payments after those they were trained on,
    with a gap as long as labels take to arrive. Runs on the Ray cluster that RAY_ADDRESS names,
    else on one of its own.
    """
    options = AutoOptions(name, label, tuple(without or ()), minutes, dry_run)
    _check_usage(file, tabular, protocol, data, predictions, auto)
    _check_auto(auto, options, file, tabular or protocol)
    forced = _force_reason(force, reason)
    from fraud.errors import InvalidInput, NotTrainable, OtherTenant
    from training.evaluate.skill import NoSkill
    from training.finding import LeakFound

    try:
        parameters = _parameters(config, seed, search_trials, search_minutes, allow_leaks or [])
        if protocol is not None:
            emit(run_named_protocol(protocol, data, parameters), as_json, protocol_table)
            return
        outputs = Outputs(for_every_tenant, predictions, forced)
        if auto and file is not None:
            run_auto(file, options, tenant, parameters, outputs, as_json)
            return
        if tabular is not None and file is not None:
            document = run_tabular(tabular, file, parameters, outputs)
        else:
            document = run_history(tenant, parameters, outputs)
        emit(document, as_json, training_table)
    except OtherTenant as error:
        raise CommandFailed(str(error), EVERY_TENANT_HINT) from None
    except InvalidInput as error:
        raise CommandFailed(error.detail, "see docs/training.md", exit_code=2) from None
    except (LeakFound, NoSkill) as error:
        leaves = auto and isinstance(error, LeakFound)
        hint = "--without COLUMN leaves a column out" if leaves else ""
        raise CommandFailed(str(error), hint) from None
    except NotTrainable as error:
        hint = "`quorum load` or `quorum generate` adds history; --config changes the split"
        has_file = auto or tabular is not None or protocol is not None
        raise CommandFailed(str(error), "" if has_file else hint) from None


def _parameters(
    config: Path | None,
    seed: int | None,
    search_trials: int | None,
    search_minutes: float | None,
    allow_leaks: list[str],
) -> TrainConfig:
    """Read the configuration; options of the command line override it."""
    from training.config import TrainConfig, read_config

    parameters = TrainConfig() if config is None else read_config(config)
    if seed is not None:
        parameters = parameters.model_copy(update={"seed": seed})
    budget = {"trials": search_trials, "minutes": search_minutes}
    given = {name: value for name, value in budget.items() if value is not None}
    search = parameters.search.model_copy(update=given)
    return _allowing(parameters.model_copy(update={"search": search}), allow_leaks)


def _force_reason(force: bool, reason: str | None) -> str | None:
    if reason is not None and not force:
        raise CommandFailed("--reason goes with --force", "see --help", 2)
    if force and not (reason or "").strip():
        raise CommandFailed(
            "--force needs a --reason, which is kept with the models", "see --help", 2
        )
    return reason


def _allowing(config: TrainConfig, codes: list[str]) -> TrainConfig:
    """Return the configuration with more allowed codes of the leak guard."""
    from training.finding import CODES

    unknown = sorted(set(codes) - set(CODES))
    if unknown:
        raise CommandFailed(
            f"--allow-leaks: unknown code {unknown[0]}",
            f"expected one of {', '.join(CODES)}",
            exit_code=2,
        )
    return config.model_copy(update={"allow_leaks": (*config.allow_leaks, *codes)})


def _check_usage(
    file: Path | None,
    tabular: str | None,
    protocol: str | None,
    data: Path | None,
    predictions: Path | None,
    auto: bool,
) -> None:
    def wrong(what: str, hint: str) -> CommandFailed:
        return CommandFailed(what, hint, exit_code=2)

    if tabular is not None and protocol is not None:
        raise wrong("--tabular and --protocol cannot be combined", "give one of them")
    if tabular is not None and file is None:
        raise wrong("--tabular needs the FILE of the data set", "quorum train --tabular ulb FILE")
    if tabular is None and file is not None and not auto:
        hint = "--auto trains on it; or load it with `quorum load`, then run `quorum train`"
        raise wrong("FILE can be given with --auto or --tabular only", hint)
    if data is not None and protocol is None:
        raise wrong("--data goes with --protocol", "quorum train --protocol handbook --data FOLDER")
    if predictions is not None and protocol is not None:
        raise wrong("--predictions and --protocol cannot be combined", "give one of them")


def _check_auto(auto: bool, options: AutoOptions, file: Path | None, other: str | None) -> None:
    if auto and file is None:
        raise CommandFailed("--auto needs a labelled FILE", "quorum train --auto FILE", 2)
    if auto and other is not None:
        what = "--auto cannot be combined with --tabular or --protocol"
        raise CommandFailed(what, "give one of them", 2)
    given = options.given()
    if not auto and given:
        raise CommandFailed(f"{given[0]} goes with --auto", "quorum train --auto FILE", 2)
