"""Moving aliases: in the store, which is authoritative, and then in MLflow, which follows it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from fraud.errors import ArtifactRefused
from models.store.alias import CHALLENGER, CHAMPION, Alias, Move
from models.store.store import ArtifactStore
from training.registry.mlflow_registry import Registry

logger = logging.getLogger(__name__)


@contextmanager
def moved_aliases(
    store: ArtifactStore, alias: str, moves: Mapping[str, Move]
) -> Iterator[tuple[str, ...]]:
    """Move the alias of each variant, and restore all of them if the block fails for any reason.

    Args:
        moves: variant -> the move. A variant whose alias names that artifact already is skipped.

    Yields:
        The variants whose alias was moved.
    """
    before = {variant: readable_alias(store, variant, alias) for variant in moves}
    moved: list[str] = []
    try:
        for variant, move in moves.items():
            was = before[variant]
            if was is not None and was.digest == move.digest:
                continue
            moved.append(variant)
            now = Alias(move.digest, (move,)) if was is None else was.moved(move)
            store.set_alias(variant, alias, now)
        yield tuple(moved)
    except BaseException:
        for variant in reversed(moved):
            was = before[variant]
            if was is None:
                store.remove_alias(variant, alias)
            else:
                store.set_alias(variant, alias, was)
        raise


def align_mlflow(registry: Registry, store: ArtifactStore, variants: Iterable[str]) -> str | None:
    """Set MLflow's aliases to those of the store.

    Replicas follow the store's aliases, so those move first and are authoritative. If MLflow does
    not answer afterwards, its aliases lag. That changes nothing that serves, and the next training,
    promotion or rollback corrects it.

    Returns:
        Why MLflow lags; None if it does not.
    """
    from mlflow.exceptions import MlflowException

    try:
        named = registry.aliases()
        for variant in variants:
            numbers = {v.digest: v.number for v in registry.versions(variant)}
            for alias in (CHAMPION, CHALLENGER):
                found = readable_alias(store, variant, alias)
                number = None if found is None else numbers.get(found.digest)
                if number is not None and named.get(variant, {}).get(alias) != number:
                    registry.set_alias(variant, alias, str(number))
    except (MlflowException, OSError) as error:
        why = f"MLflow's aliases lag behind: {str(error).splitlines()[0]}"
        logger.warning(
            "%s; the store has moved, the next promotion or training aligns MLflow",
            why,
        )
        return why
    return None


def readable_alias(store: ArtifactStore, variant: str, alias: str) -> Alias | None:
    """An alias of a variant; None if there is none, or if it is broken and will be replaced."""
    try:
        return store.alias(variant, alias)
    except ArtifactRefused:
        return None
