"""How well files find the models that fit them: `python -m loadtests.bench.offline.matching`.

1. Leave one set out: each part of each labelled set is a file that is matched against the
   references of all other parts. Is a reference of its own family the first?
2. Refusals: variants of each part, payments of strangers and members of generated families, which
   must be accepted, and sets of other domains, which must be refused.
3. What similarity is worth: average precision of the ensemble and of the best single match.
4. Time: a file of 50 columns against 100 references.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from loadtests.bench.offline.matching.fitted import (
    Fitted,
    figures,
    file_of,
    history,
    scores,
    tabular,
)
from loadtests.bench.offline.matching.generated_sets import (
    known_members,
    other_members,
    unknown_members,
)
from loadtests.bench.offline.matching.other_domains import other_tables
from loadtests.bench.offline.matching.part import Part
from loadtests.bench.offline.matching.real_sets import other_domains, real_parts
from loadtests.bench.offline.matching.strangers import stranger_tables
from loadtests.bench.offline.matching.variants import variants
from references.matching.match import Match, ModelMatch
from references.matching.match_file import match_file
from references.matching.sample import MatchOptions

_OTHER_ROWS = 4000
_TOLD = "first | similarity | coverage | closeness | AUC | structure | fits"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables. Return 1 if a family was missed or a file wrongly refused or accepted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", default="", help="a substring of the parts that are matched")
    parser.add_argument("--tables", default="leave,refuse,strangers,families,accept,worth,time")
    chosen = parser.parse_args(arguments)
    parts = [part.thinned() for part in real_parts(chosen.data)]
    if not parts:
        print(f"{chosen.data} holds no sets: nothing to measure")
        return 0
    fitted = [f for part in parts for f in _references(part)]
    tables = chosen.tables.split(",")
    picked = [part for part in parts if chosen.only in part.name]
    wrong = 0
    if "leave" in tables:
        wrong += _leave_one_out(picked, fitted)
    if "refuse" in tables:
        wrong += _refuse_others(chosen.data, fitted)
    if "strangers" in tables:
        wrong += _accept_strangers(fitted)
    if "families" in tables:
        wrong += _families(fitted)
    if "accept" in tables:
        wrong += _accept_variants(picked, fitted)
    if "worth" in tables:
        _worth(picked, fitted)
    if "time" in tables:
        _time(parts, fitted)
    return int(wrong > 0)


def _references(part: Part) -> list[Fitted]:
    made = [tabular(part)]
    if part.fields:
        made.append(history(part))
    return made


def _matched(part: Part, fitted: Sequence[Fitted], options: MatchOptions | None = None) -> Match:
    sketches = {f.stored.id: f.sketch for f in fitted}
    stored = [f.stored for f in fitted]
    file = file_of(part.table)
    return match_file(file, stored, lambda s: sketches[s.id], options or MatchOptions())


def _without(part: Part, fitted: Sequence[Fitted]) -> list[Fitted]:
    return [f for f in fitted if f.part.name != part.name]


def _leave_one_out(parts: Sequence[Part], fitted: Sequence[Fitted]) -> int:
    print("\nLeave one set out\n")
    print(f"| file | {_TOLD} | next family | similarity |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    missed = 0
    for part in parts:
        match = _matched(part, _without(part, fitted))
        family = {f.stored.id: f.part.family for f in fitted}
        first = match.models[0]
        other = next((m for m in match.models if family[m.reference] != part.family), None)
        missed += family[first.reference] != part.family
        tail = f"{_short(other)} | {other.similarity:.2f}" if other else " | "
        print(f"| {part.name} | {_told(first)} | {tail} |")
    print(f"\nright family first: {len(parts) - missed} of {len(parts)}")
    return missed


def _families(fitted: Sequence[Fitted]) -> int:
    """Members of generated families, whose changes of unit are confirmed as proposed, and members
    of families that are not about payments."""
    print("\nGenerated families: the own one first, others refused\n")
    print(f"| file | {_TOLD} | confirmed | why not |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    known = [*(f for f in fitted if f.part.fields), *map(tabular, known_members())]
    family = {f.stored.id: f.part.family for f in known}
    wrong = 0
    for part in unknown_members():
        match = _matched(part, known)
        proposed = {
            column.file_column: column.proposed.code
            for column in match.models[0].columns
            if column.proposed and column.file_column
        }
        if match.refused and proposed:
            match = _matched(part, known, MatchOptions(convert=proposed))
        wrong += match.refused or family[match.models[0].reference] != part.family
        told = ", ".join(proposed.values())
        print(f"| {part.name} | {_told(match.models[0])} | {told} | {_why(match)} |")
    for part in other_members():
        match = _matched(part, known)
        wrong += not match.refused
        print(f"| {part.name} | {_told(match.models[0])} | | {_why(match)} |")
    print(f"\nwrong: {wrong}")
    return wrong


def _accept_variants(parts: Sequence[Part], fitted: Sequence[Fitted]) -> int:
    print("\nThe same domain: must be accepted\n")
    print(f"| file | change | {_TOLD} | why not |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    refused = 0
    rng = np.random.default_rng(7)
    for part in parts:
        for variant in variants(part, rng):
            options = MatchOptions(convert=variant.convert)
            match = _matched(variant.part, _without(part, fitted), options)
            refused += match.refused
            why = "" if not match.refused else _why(match)
            print(f"| {part.name} | {variant.change} | {_told(match.models[0])} | {why} |")
    print(f"\nrefused: {refused}")
    return refused


def _accept_strangers(fitted: Sequence[Fitted]) -> int:
    """Payments of sources that no reference learnt from, and of each real set with customers once
    its own family is left out."""
    print("\nPayments of strangers: must be accepted\n")
    print(f"| file | {_TOLD} | why not |")
    print("|---|---|---|---|---|---|---|---|---|")
    strangers = [(part, fitted) for part in stranger_tables(_OTHER_ROWS, np.random.default_rng(5))]
    strangers += [
        (one, [f for f in fitted if f.part.family != one.family])
        for one in {f.part.family: f.part for f in fitted if f.part.fields}.values()
    ]
    refused = 0
    for part, others in strangers:
        match = _matched(part, others)
        refused += match.refused
        why = "" if not match.refused else _why(match)
        print(f"| {part.name} | {_told(match.models[0])} | {why} |")
    print(f"\nrefused: {refused}")
    return refused


def _refuse_others(folder: Path, fitted: Sequence[Fitted]) -> int:
    print("\nOther domains: must be refused\n")
    print(f"| file | {_TOLD} | why not |")
    print("|---|---|---|---|---|---|---|---|---|")
    accepted = 0
    rng = np.random.default_rng(11)
    for part in (*other_domains(folder), *other_tables(_OTHER_ROWS, rng)):
        match = _matched(part, fitted)
        accepted += not match.refused
        print(f"| {part.name} | {_told(match.models[0])} | {_why(match)} |")
    print(f"\naccepted: {accepted}")
    return accepted


def _worth(parts: Sequence[Part], fitted: Sequence[Fitted]) -> None:
    print("\nWhat similarity is worth: average precision on each part\n")
    print("| file | reference | similarity | AUC | average precision | of its own model |")
    print("|---|---|---|---|---|---|")
    tables = [f for f in fitted if f.model is not None]
    for part in parts:
        own = next(f for f in tables if f.part.name == part.name)
        best = own.stored.reference.metrics.get("average_precision", float("nan"))
        match = _matched(part, _without(part, tables), MatchOptions(models=3))
        by_id = {f.stored.id: f for f in tables}
        found = {m.reference: scores(by_id[m.reference], part.table, m) for m in match.models}
        for model in match.models[:6]:
            reached = figures(part.label, found[model.reference]).get("average_precision", 0.0)
            print(
                f"| {part.name} | {_short(model)} {'fits' if model.fits else ''} "
                f"| {model.similarity:.2f} | {_auc(model)} | {reached:.3f} | {best:.3f} |"
            )
        if match.chosen:
            mixed = sum(match.of(r).weight * found[r] for r in match.chosen)
            reached = figures(part.label, np.asarray(mixed)).get("average_precision", 0.0)
            name = f"ensemble of {len(match.chosen)}"
            print(f"| {part.name} | {name} | | | {reached:.3f} | {best:.3f} |")


def _time(parts: Sequence[Part], fitted: Sequence[Fitted]) -> None:
    """A wide file against many references: copies of those at hand."""
    wide = max(parts, key=lambda part: part.table.num_columns)
    table = wide.table
    while table.num_columns < 50:
        source = table.column(table.num_columns % wide.table.num_columns)
        table = table.append_column(f"more_{table.num_columns}", source)
    many, sketches = [], {}
    for i in range(100):
        one = fitted[i % len(fitted)]
        reference = replace(one.stored.reference, name=f"r{i}-{one.stored.reference.name}")
        columns = reference.columns
        while len(columns) < 50:
            columns += tuple(
                replace(c, profile=replace(c.profile, name=f"{c.name}_{len(columns)}"))
                for c in columns[: 50 - len(columns)]
            )
        stored = replace(one.stored, reference=replace(reference, columns=columns))
        many.append(stored)
        sketches[stored.id] = one.sketch
    file = file_of(table)
    start, used = time.perf_counter(), time.process_time()
    match_file(file, many, lambda s: sketches[s.id], MatchOptions())
    took = f"{time.perf_counter() - start:.2f} s, {time.process_time() - used:.2f} s of a processor"
    print(f"\n50 columns against 100 references of 50: {took}")


def _told(model: ModelMatch) -> str:
    return (
        f"{_short(model)} | {model.similarity:.2f} | {model.coverage:.2f} | {model.closeness:.2f}"
        f" | {_auc(model)} | {_structure(model)} | {'yes' if model.fits else 'no'}"
    )


def _short(model: ModelMatch) -> str:
    return model.reference.split("@")[0]


def _auc(model: ModelMatch) -> str:
    return "" if model.domain_auc is None else f"{model.domain_auc:.2f}"


def _structure(model: ModelMatch) -> str:
    return "" if model.structure is None else f"{model.structure:.2f}"


def _why(match: Match) -> str:
    found = (
        [f"{r.code} {r.column}".strip() for r in match.models[0].reasons] if match.models else []
    )
    return ", ".join(found) or ", ".join(r.code for r in match.reasons)


if __name__ == "__main__":
    sys.exit(main())
