"""Recipes of generated sets: members of the families of tables, and a history of payments."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from data.generator.stream import GeneratorSpec
from data.generator.tables.family import Family
from data.generator.tables.table import START_S, generate_table, member
from data.generator.writer import write as write_payments
from training.config import TrainConfig
from training.populate.recipe import Recipe

_DAY_MS = 86_400_000


def generated_table(family: Family, number: int, rows: int, config: TrainConfig) -> Recipe:
    """The recipe of a member of a family, named `<family>-<number>`."""
    spec = member(family, number, rows)
    described = {**asdict(spec), "family": family.name, "sharpness": family.sharpness}

    def write(folder: Path, _: Path) -> Path:
        return generate_table(spec).write(folder / f"{family.name}-{number}.csv")

    return Recipe(
        name=f"{family.name}-{number}",
        about=f"generated: {family.about}, columns named in {spec.style}",
        kind="tabular",
        write=write,
        made_from=str(described),
        config=config,
        label=family.label_name(spec.style),
    )


def generated_payments(
    name: str, customers: int, days: int, fraud_share: float, config: TrainConfig
) -> Recipe:
    """The recipe of a history of generated payments."""
    start_ms = START_S * 1000
    spec = GeneratorSpec(customers, start_ms, start_ms + days * _DAY_MS, 5, fraud_share)

    def write(folder: Path, _: Path) -> Path:
        path = folder / f"{name}.parquet"
        write_payments(spec, path)
        return path

    return Recipe(
        name=name,
        about="generated: payments of customers with devices, merchants and payees",
        kind="history",
        write=write,
        made_from=str(asdict(spec)),
        config=config,
        layout="canonical",
    )
