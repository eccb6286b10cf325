"""`quorum score`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import TenantOption, load_settings
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, print_line, progress

if TYPE_CHECKING:
    from bulk.jobs.job import Job
    from bulk.jobs.options import JobOptions
    from fraud.errors import InvalidInput
    from references.matching.match import Match
    from settings.settings import Settings


def score(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="CSV (any delimiter, perhaps .gz), Parquet or Excel file, without labels.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the result: .parquet, else CSV.",
            show_default="kept in the job store: `quorum jobs result`",
        ),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Only show how the file fits the models.")
    ] = False,
    models: Annotated[
        int, typer.Option(min=1, max=5, help="How many models may score the file.")
    ] = 3,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[@VERSION]", help="Use this model even if it does not fit; repeatable."
        ),
    ] = None,
    convert: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=CODE", help="Confirm a conversion that the match proposes; repeatable."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=MODEL_COLUMN",
            help="Say which column of the model this one is; nothing after =: none; repeatable.",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", help="A column not to look at, such as an old label; repeatable."
        ),
    ] = None,
    high: Annotated[
        float, typer.Option(help="Probability from which the risk level is high.")
    ] = 0.5,
    medium: Annotated[
        float, typer.Option(help="Probability from which the risk level is medium.")
    ] = 0.1,
    review: Annotated[
        int | None, typer.Option(min=1, help="Levels by rank: the N riskiest rows are high.")
    ] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Score without the conversions that are proposed.")
    ] = False,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Score a file that nobody labelled by the reference models that fit it.

    The columns of the file are matched with those of the models. If none fits, the file is refused
    with the reasons, and the exit code is 1. The result holds the columns of the file untouched,
    then Quorum's. Quorum need not run: the work is done here, and only PostgreSQL has to be up.
    """
    import asyncio

    from cluster.api_keys import require_tenant

    settings = load_settings(tenant)
    options = _options(
        models=models,
        model=tuple(model or ()),
        convert=_pairs("--convert", convert),
        columns=_pairs("--column", column),
        ignore=tuple(ignore or ()),
        high=high,
        medium=medium,
        review=review,
        format="parquet" if out is not None and out.suffix == ".parquet" else "csv",
    )
    _require_writable(out, file)
    require_tenant(settings.tenant)
    asyncio.run(_score(settings, file, options, out, dry, as_is, as_json))


async def _score(
    settings: Settings,
    file: Path,
    options: JobOptions,
    out: Path | None,
    dry: bool,
    as_is: bool,
    as_json: bool,
) -> None:
    import asyncio

    from bulk.files.refused import FileRefused
    from cluster.scoring.desk import open_desk
    from cluster.scoring.file_scoring import FileScoring
    from cluster.scoring.progress_bars import job_bars
    from cluster.scoring.result_file import write_result
    from fraud.errors import InvalidInput

    async with open_desk(settings) as desk:
        await desk.tidy()
        scoring = FileScoring(desk, file, settings.tenant, options)
        with progress.status("matching the file with the models"):
            try:
                match = await scoring.match()
            except FileRefused as refused:
                raise CommandFailed(f"{file.name}: {refused.detail}", "") from None
            except InvalidInput as wrong:
                raise CommandFailed(_wrong_options(wrong, options), "see --help", 2) from None
        if dry or match.refused or (match.unconfirmed and not as_is):
            scoring.drop()
            _show_match(match, as_json)
            _require_fit(file, match, dry)
            return
        if not as_json:
            _show_match(match, as_json)
        try:
            with job_bars() as told:
                job = await scoring.run(
                    match,
                    retention_days=settings.job_retention_days,
                    most_open=settings.max_open_jobs,
                    told=told,
                )
        except asyncio.CancelledError:
            print_line("interrupted: the job is cancelled, and its files are removed")
            raise
        _require_done(job, as_json)
        if out is not None:
            write_result(desk.store, job, out)
        emit(_document(job, out), as_json, lambda _: _report(job, out))


def _options(**given: Any) -> JobOptions:
    from pydantic import ValidationError

    from bulk.jobs.options import JobOptions

    try:
        return JobOptions(**given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise CommandFailed(f"--{where}: {what}" if where else what, "see --help", 2) from None


def _wrong_options(wrong: InvalidInput, options: JobOptions) -> str:
    """Return what is wrong with options, each as it was typed."""
    return "; ".join(
        f"{_typed(pointer, options)}: {detail}" for pointer, _, detail in wrong.errors
    ) or str(wrong.detail)


def _typed(pointer: str, options: JobOptions) -> str:
    """Return the option and the value that a JSON pointer into the options leads to."""
    field, _, key = pointer.removeprefix("/").partition("/")
    key = key.replace("~1", "/").replace("~0", "~")
    value = getattr(options, field, None)
    if isinstance(value, dict):
        return f"--{'column' if field == 'columns' else field} {key}={value.get(key, '')}"
    if isinstance(value, tuple) and key.isdigit() and int(key) < len(value):
        return f"--{field} {value[int(key)]}"
    return f"--{field}"


def _require_writable(out: Path | None, file: Path) -> None:
    """Find out before the work whether its result can be written."""
    if out is None:
        return
    where = out.parent
    if not where.is_dir():
        raise CommandFailed(f"--out {out}: there is no folder {where}", "make it first", 2)
    if out.is_dir():
        raise CommandFailed(f"--out {out} is a folder", "name a file in it", 2)
    if out.exists() and out.samefile(file):
        raise CommandFailed(f"--out {out} is the file to score", "choose another name", 2)
    if not os.access(where, os.W_OK):
        raise CommandFailed(f"--out {out}: the folder {where} cannot be written to", "", 2)


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    found = {}
    for pair in given or ():
        name, sign, value = pair.rpartition("=")
        if not sign or not name:
            raise CommandFailed(f"{option}: expected COLUMN=…", "see --help", 2)
        found[name] = value
    return found


def _show_match(match: Match, as_json: bool) -> None:
    from cluster.terminal.tables.match import match_tables

    emit({"match": match.to_document()}, as_json, lambda _: match_tables(match))


def _require_fit(file: Path, match: Match, dry: bool) -> None:
    from cluster.terminal.tables.match import proposals

    if match.refused:
        hint = "--model NAME uses a model all the same"
        raise CommandFailed(f"{file.name} fits none of the models", hint)
    if not dry:
        hint = f"confirm with {' '.join(proposals(match))}, or score it with --as-is"
        raise CommandFailed("a conversion of units is proposed", hint)


def _require_done(job: Job, as_json: bool) -> None:
    from bulk.jobs.state import JobState

    if job.state is JobState.DONE:
        return
    if job.state is JobState.REFUSED and job.match is not None:
        _show_match(job.match, as_json)
    what = str(job.problem.get("detail") or f"the job was {job.state}")
    where = f" ({step})" if (step := job.problem.get("step")) else ""
    raise CommandFailed(f"{job.file_name}: {what}{where}", "")


def _document(job: Job, out: Path | None) -> dict[str, Any]:
    match = None if job.match is None else job.match.to_document()
    return {
        "job_id": str(job.job_id),
        "state": str(job.state),
        "rows_total": job.rows_total,
        "rows_done": job.rows_done,
        "rows_failed": job.rows_failed,
        "match": match,
        "summary": job.summary,
        "out": None if out is None else str(out),
    }


def _report(job: Job, out: Path | None) -> Any:
    from rich.console import Group

    from cluster.terminal.tables.jobs import job_text
    from cluster.terminal.tables.plain import plain

    where = f"`quorum jobs result {job.job_id} --out FILE` writes the result"
    return Group(job_text(job), plain(where if out is None else f"The result is in {out}"))
