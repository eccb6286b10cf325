"""An evaluation protocol, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fraud.errors import NotTrainable
from training.config import TrainConfig
from training.finding import Finding
from training.fit.crossfit import Fit
from training.fit.in_process import fit_in_process
from training.guard.duplicates import identical_rows
from training.guard.findings import GuardFindings
from training.guard.guard import inspect_columns
from training.progress import Progress
from training.protocols.protocol_split import ProtocolSplit, SplitResult, mean_figures, run_split
from training.protocols.published import published
from training.protocols.reader import ProtocolReader
from training.sets.dataset import Dataset


@dataclass(frozen=True, slots=True)
class EvaluationProtocol:
    """A published benchmark procedure.

    Attributes:
        name, title: for the command line and for the table.
        folder: of the data set, inside the folder of all data sets.
        read: reads a file as a data set, with the leak guard's rounds.
        splits: makes the splits from data set and configuration, the main one first.
        means: name and title of a mean -> the splits over which it is taken.
        tuned: changes to the default configuration, as a document for `TrainConfig`; never chosen
            on test rows.
    """

    name: str
    title: str
    folder: str
    read: Callable[[Path, ProtocolReader], Dataset]
    splits: Callable[[Dataset, TrainConfig], list[ProtocolSplit]]
    means: dict[tuple[str, str], tuple[str, ...]]
    tuned: dict[str, Any]


def run_protocol(
    protocol: EvaluationProtocol,
    data: Path,
    cache: Path,
    config: TrainConfig,
    progress: Progress,
    fit: Fit = fit_in_process,
) -> dict[str, Any]:
    """Run a protocol on the files of a folder, and report our figures beside the published ones.

    Args:
        data: folder of all data sets.
        cache: folder for feature matrices.
        config: keys set here override the protocol's own configuration.
        progress: stages `features`, `guard`, and `fit` over all splits.

    Returns:
        JSON-ready: `models` of the main split, every other split under `splits.<name>`,
        `published`, the figures to compare with, and `findings` of the leak guard.

    Raises:
        NotTrainable: the data set is missing, or leaks (`LeakFound`).
        SourceUnreadable, LayoutInvalid: its file does not match the layout.
    """
    path = data_file(data, protocol.folder)
    reader = ProtocolReader(
        cache, progress, GuardFindings(config.allow_leaks, config.honest), config.seed
    )
    dataset = protocol.read(path, reader)
    splits = protocol.splits(dataset, with_defaults(config, protocol.tuned))
    reader.inspect(lambda: _leaks(dataset, splits, config.seed))
    fits = [split.config.cross_fit.folds + 1 for split in splits]
    results: dict[str, SplitResult] = {}
    for number, split in enumerate(splits):
        before, total = sum(fits[:number]), sum(fits)

        def count(done: int, _: int, before: int = before, total: int = total) -> None:
            progress("fit", before + done, total)

        results[split.name] = run_split(dataset, split, fit, count)
    found = [asdict(finding) for finding in reader.findings.all]
    return {**_document(protocol, path, dataset, splits, results), "findings": found}


def _leaks(dataset: Dataset, splits: list[ProtocolSplit], seed: int) -> list[Finding]:
    """Columns that give the label away, and for each split test rows that are training rows."""
    found = inspect_columns(dataset, seed)
    for split in splits:
        found += [
            replace(finding, sentence=f"{split.title}: {finding.sentence}")
            for finding in identical_rows(dataset.values, split.train, split.test, dataset.label)
        ]
    return found


def data_file(data: Path, folder: str) -> Path:
    """The Parquet file of a data set; of several the first by name.

    Raises:
        NotTrainable: there is none.
    """
    found = sorted((data / folder).glob("*.parquet"))
    if not found:
        raise NotTrainable(
            f"no Parquet file in {data / folder}: --data names the folder that holds {folder}/"
        )
    return found[0]


def with_defaults(config: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """`config`, with `changes` for the keys that it does not set."""
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
    protocol: EvaluationProtocol,
    path: Path,
    dataset: Dataset,
    splits: list[ProtocolSplit],
    results: dict[str, SplitResult],
) -> dict[str, Any]:
    main = splits[0]
    others: dict[str, Any] = {
        split.name: {"title": split.title, **asdict(results[split.name])} for split in splits[1:]
    }
    for (name, title), over in protocol.means.items():
        chosen = [results[split] for split in over]
        others[name] = {"title": title, "over": list(over), "models": mean_figures(chosen)}
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
        **asdict(results[main.name]),
        "splits": others,
        "published": published(protocol.name),
    }
