"""`quorum generate`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.terminal.terminal import CommandFailed, JsonFlag, emit, step

if TYPE_CHECKING:
    from data.generator import GeneratorSpec

_DAY_MS = 86_400_000


def generate(
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = 2_000,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="How long a span.")] = 90,
    start: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Where the span begins, UTC."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Where it ends, UTC; now if not given."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed and span, same bytes.")] = 0,
    fraud_share: Annotated[
        float, typer.Option(min=0.0, max=0.49, help="Part of the payments that is fraud.")
    ] = 0.01,
    as_json: JsonFlag = False,
) -> None:
    """Generate payments of a made-up world, four kinds of fraud among them.

    `quorum load FILE` loads what it writes. Each customer makes about one payment a day.
    """
    from data.generator import write

    spec = _spec(customers, days, start, end, seed, fraud_share)
    with step(f"generating {days} days of {customers:,} customers") as going_on:
        report = write(
            spec, out, lambda done, share: going_on.note(f"{share:.0%}, {done.rows:,} rows")
        )
        going_on.result = f"{report.rows:,} rows"
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
        raise CommandFailed("--start and --end are both given", "give one of them and --days", 2)
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
