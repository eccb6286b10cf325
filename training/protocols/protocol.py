"""What a protocol is, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fraud.errors import NotTrainable
from training.config import TrainConfig
from training.finding import Finding
from training.fit.crossfit import Fit
from training.fit.in_process import fit_here
from training.guard.duplicates import identical_rows
from training.guard.guard import inspect_columns
from training.guard.rounds import Rounds
from training.progress import Progress
from training.protocols.case import Case, Outcome, mean_models, run_case
from training.protocols.published import published
from training.protocols.reading import Reading
from training.sets.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Protocol:
    """A published protocol.

    Attributes:
        name, title: what it is called.
        folder: of the data set, inside the folder of all sets.
        read: file -> the data set, past the leak guard.
        cases: data set, configuration -> its splits, the main one first.
        means: name and title of a mean -> the cases it is taken over.
        tuned: what the configuration changes against the defaults, as a document for
            `TrainConfig`, and on which rows that was chosen: none of them a test row.
    """

    name: str
    title: str
    folder: str
    read: Callable[[Path, Reading], Dataset]
    cases: Callable[[Dataset, TrainConfig], list[Case]]
    means: dict[tuple[str, str], tuple[str, ...]]
    tuned: dict[str, Any]


def run_protocol(
    protocol: Protocol,
    data: Path,
    cache: Path,
    config: TrainConfig,
    progress: Progress,
    fit: Fit = fit_here,
) -> dict[str, Any]:
    """Run a protocol on the files of a folder, and set our figures beside the published ones.

    Args:
        data: folder of all sets.
        cache: folder for feature matrices.
        config: what differs here from the protocol's own configuration wins over it.
        progress: stages `features`, `guard`, and `fit` over all cases.

    Returns:
        JSON-ready: `models` of the main split, every other one under `splits.<name>`, and
        `published`, the figures to hold them against; `findings` of the leak guard.

    Raises:
        NotTrainable: the data set is not there, or leaks (`LeakFound`).
        SourceUnreadable, LayoutInvalid: its file is not what the layout says.
    """
    path = data_file(data, protocol.folder)
    reading = Reading(cache, progress, Rounds(config.allow_leaks, config.honest), config.seed)
    dataset = protocol.read(path, reading)
    cases = protocol.cases(dataset, tuned(config, protocol.tuned))
    reading.inspect(lambda: _leaks(dataset, cases, config.seed))
    fits = [case.config.cross_fit.folds + 1 for case in cases]
    outcomes: dict[str, Outcome] = {}
    for number, case in enumerate(cases):
        before, total = sum(fits[:number]), sum(fits)

        def told(_: str, done: int, __: int, before: int = before, total: int = total) -> None:
            progress("fit", before + done, total)

        outcomes[case.name] = run_case(dataset, case, fit, told)
    found = [asdict(finding) for finding in reading.rounds.findings]
    return {**_document(protocol, path, dataset, cases, outcomes), "findings": found}


def _leaks(dataset: Dataset, cases: list[Case], seed: int) -> list[Finding]:
    """Columns that tell the label, and test rows that were learnt from, of each case."""
    found = inspect_columns(dataset, seed)
    for case in cases:
        found += [
            replace(finding, sentence=f"{case.title}: {finding.sentence}")
            for finding in identical_rows(dataset.values, case.train, case.test, dataset.label)
        ]
    return found


def data_file(data: Path, folder: str) -> Path:
    """The Parquet file of a set; of several the first by name.

    Raises:
        NotTrainable: there is none.
    """
    found = sorted((data / folder).glob("*.parquet"))
    if not found:
        raise NotTrainable(
            f"no Parquet file in {data / folder}: --data names the folder that holds {folder}/"
        )
    return found[0]


def tuned(config: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """`config` with `changes` wherever it says nothing of its own."""
    return TrainConfig.model_validate(
        _merged(changes, config.model_dump(exclude_unset=True, exclude_none=True))
    )


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _document(
    protocol: Protocol,
    path: Path,
    dataset: Dataset,
    cases: list[Case],
    outcomes: dict[str, Outcome],
) -> dict[str, Any]:
    main = cases[0]
    splits: dict[str, Any] = {
        case.name: {"title": case.title, **asdict(outcomes[case.name])} for case in cases[1:]
    }
    for (name, title), over in protocol.means.items():
        chosen = [outcomes[case] for case in over]
        splits[name] = {"title": title, "over": list(over), "models": mean_models(chosen)}
    return {
        "protocol": protocol.name,
        "title": protocol.title,
        "file": path.name,
        "rows_read": len(dataset),
        "schema_id": dataset.schema_id,
        "features": len(dataset.schema),
        "seed": main.config.seed,
        "split": main.name,
        "split_title": main.title,
        **asdict(outcomes[main.name]),
        "splits": splits,
        "published": published(protocol.name),
    }
