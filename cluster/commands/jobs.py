"""`quorum jobs`: list, show, result, cancel, run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from cluster.commands.options import TenantOption, load_settings
from cluster.errors import CommandFailed
from cluster.home.connection import with_database
from cluster.terminal.console import JsonFlag, emit

if TYPE_CHECKING:
    from bulk.jobs.job import Job
    from settings.settings import Settings

app = typer.Typer(
    help="List the jobs of bulk scoring, fetch their results, cancel them or run them.",
    no_args_is_help=True,
)

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]


@app.command("list")
def list_jobs(
    limit: Annotated[int, typer.Option(min=1, help="How many jobs are listed at most.")] = 50,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List the jobs of a tenant, the newest first."""
    from bulk.jobs import table
    from cluster.terminal.tables.jobs import job_list

    settings = load_settings(tenant)
    jobs = with_database(
        settings, lambda session: table.listed(session, settings.tenant, limit=limit)
    )
    emit([_document(job) for job in jobs], as_json, lambda _: job_list(jobs))


@app.command()
def show(job: JobArgument, tenant: TenantOption = None, as_json: JsonFlag = False) -> None:
    """Show a job: its state, the models that matched, and its summary."""
    from rich.console import Group

    from cluster.terminal.tables.jobs import job_text
    from cluster.terminal.tables.match import match_tables

    found = _found(load_settings(tenant), job)
    match = found.match

    def shown(_: object) -> Any:
        return job_text(found) if match is None else Group(match_tables(match), job_text(found))

    emit(_whole_document(found), as_json, shown)


@app.command()
def result(
    job: JobArgument,
    out: Annotated[Path, typer.Option(help="File for the result: .parquet, else CSV.")],
    tenant: TenantOption = None,
) -> None:
    """Write the result of a job that is done to a file."""
    from bulk.jobs.state import JobState
    from bulk.jobs.store import job_store_of
    from cluster.scoring.result_file import write_result

    settings = load_settings(tenant)
    found = _found(settings, job)
    if found.state is not JobState.DONE:
        raise CommandFailed(f"the job is {found.state}: there is no result", "")
    write_result(job_store_of(settings), found, out)


@app.command()
def cancel(job: JobArgument, tenant: TenantOption = None, as_json: JsonFlag = False) -> None:
    """Cancel a job. One that runs stops within seconds; one that has ended stays as it is."""
    from bulk.jobs import table

    settings = load_settings(tenant)
    job_id = _job_id(job)
    found = with_database(settings, lambda session: table.cancel(session, settings.tenant, job_id))
    emit(_document(found), as_json, lambda _: f"job {found.job_id}: {_told(found)}")


@app.command("run")
def run_jobs(as_json: JsonFlag = False) -> None:
    """Run the jobs of this job store that nobody runs, of all tenants, until none is left.

    A running Quorum does this by itself. Where none runs, this continues jobs that an interrupted
    `quorum score` left, and removes the files of jobs that have expired.
    """
    import asyncio

    settings = load_settings()
    ran = asyncio.run(_run_all(settings))
    lines = [f"job {one['job_id']}: {one['state']}" for one in ran] or ["no job is to be run"]
    emit(ran, as_json, lambda _: "\n".join(lines))


async def _run_all(settings: Settings) -> list[dict[str, str]]:
    from cluster.scoring.desk import open_desk
    from cluster.scoring.progress_bars import job_bars

    ran: list[dict[str, str]] = []
    async with open_desk(settings) as desk:
        while True:
            with job_bars() as told:
                found = await desk.runner.run_next(told=told)
            if found is None:
                await desk.tidy()
                return ran
            job, state = found
            ran.append(
                {"job_id": str(job.job_id), "state": str(state or "taken by another runner")}
            )


def _told(job: Job) -> str:
    from bulk.jobs.state import ENDED

    return str(job.state) if job.state in ENDED else f"{job.state}, is being stopped"


def _found(settings: Settings, job: str) -> Job:
    from bulk.jobs import table

    job_id = _job_id(job)
    return with_database(settings, lambda session: table.find(session, settings.tenant, job_id))


def _job_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandFailed("JOB: expected the id of a job", "`quorum jobs list`", 2) from None


def _document(job: Job) -> dict[str, Any]:
    return {
        "job_id": str(job.job_id),
        "file_name": job.file_name,
        "source": job.source,
        "state": str(job.state),
        "bytes": job.bytes,
        "rows_total": job.rows_total,
        "rows_done": job.rows_done,
        "rows_failed": job.rows_failed,
        "rows_per_s": job.rows_per_s,
        "problem": job.problem,
        "cancel": job.cancel,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
    }


def _whole_document(job: Job) -> dict[str, Any]:
    match = None if job.match is None else job.match.to_document()
    options = job.options.model_dump(mode="json")
    return {**_document(job), "options": options, "match": match, "summary": job.summary}
