"""`quorum generate`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit, step

if TYPE_CHECKING:
    from data.generator import GeneratorSpec

_DAY_MS = 86_400_000
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def generate(
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    customers: Annotated[int, typer.Option(min=1, help="Number of customers.")] = 2_000,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="Number of days.")] = 90,
    start: Annotated[
        datetime | None,
        typer.Option(formats=_FORMATS, help="Time of the first day, UTC; not together with --end."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option(formats=_FORMATS, help="Time after the last day, UTC.", show_default="now"),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Random seed. The same options give the same bytes.")
    ] = 0,
    fraud_share: Annotated[
        float, typer.Option(min=0.0, max=0.49, help="Share of the payments that are fraud.")
    ] = 0.01,
    as_json: JsonFlag = False,
) -> None:
    """Generate a file of synthetic payments with four kinds of fraud among them.

    Each customer makes about one payment a day. Load the file with `quorum load FILE`.
    """
    from data.generator import write

    spec = _spec(customers, days, start, end, seed, fraud_share)
    with step(f"Generate {days} days of {customers:,} customers") as running:
        report = write(
            spec, out, lambda done, share: running.note(f"{share:.0%}, {done.rows:,} rows")
        )
        running.result = f"{report.rows:,} rows"
    emit(report.as_dict(), as_json, _render)


def _spec(
    customers: int,
    days: int,
    start: datetime | None,
    end: datetime | None,
    seed: int,
    fraud_share: float,
) -> GeneratorSpec:
    from data.generator import GeneratorSpec

    if start is not None and end is not None:
        raise CommandFailed("--start and --end are both given", "give one of them, and --days", 2)
    if start is not None:
        start_ms = _ms(start)
        end_ms = start_ms + days * _DAY_MS
    else:
        end_ms = _ms(end or datetime.now(UTC))
        start_ms = end_ms - days * _DAY_MS
    try:
        return GeneratorSpec(customers, start_ms, end_ms, seed, fraud_share)
    except ValueError as error:
        raise CommandFailed(str(error), "see --help", 2) from None


def _ms(naive_utc: datetime) -> int:
    return int(naive_utc.replace(tzinfo=UTC).timestamp()) * 1000


def _render(report: dict[str, Any]) -> str:
    kinds = ", ".join(f"{n:,} {kind.replace('_', ' ')}" for kind, n in report["kinds"].items())
    share = report["fraud"] / max(report["rows"], 1)
    return (
        f"{report['file']}: {report['rows']:,} payments in {report['seconds']:.1f} s "
        f"({report['rows_per_s']:,.0f} a second)\n"
        f"{report['fraud']:,} fraudulent ({share:.2%}): {kinds}"
    )
