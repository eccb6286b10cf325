"""Moving aliases: in the store, which is authoritative, and then in MLflow, which follows it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from fraud.errors import ArtifactRefused
from fraud.variant import HOUSE
from models.store.alias import CHALLENGER, CHAMPION, ROLLED_BACK, Alias, Move, alias_name
from models.store.owner_code import owner_code, owner_from
from models.store.store import ArtifactStore
from training.registry.mlflow_registry import Registry

logger = logging.getLogger(__name__)


@contextmanager
def moved_aliases(
    store: ArtifactStore, alias: str, moves: Mapping[str, Move], owner: str = HOUSE
) -> Iterator[tuple[str, ...]]:
    """Move an owner's alias of each variant, and restore all of them if the block fails for any
    reason.

    Args:
        moves: variant -> the move. A variant whose alias names that artifact already is skipped,
            unless it is rolled back now or was before: that is a move though nothing changes.

    Yields:
        The variants whose alias was moved.
    """
    before = {variant: readable_alias(store, variant, alias, owner) for variant in moves}
    moved: list[str] = []
    try:
        for variant, move in moves.items():
            was = before[variant]
            if was is not None and was.digest == move.digest and not _rolled_back(was, move):
                continue
            moved.append(variant)
            now = Alias(move.digest, (move,)) if was is None else was.moved(move)
            store.set_alias(variant, alias, now, owner)
        yield tuple(moved)
    except BaseException:
        for variant in reversed(moved):
            was = before[variant]
            if was is None:
                store.remove_alias(variant, alias, owner)
            else:
                store.set_alias(variant, alias, was, owner)
        raise


def _rolled_back(was: Alias, move: Move) -> bool:
    return ROLLED_BACK in (move.how, was.moves[-1].how if was.moves else "")


def align_mlflow(
    registry: Registry, store: ArtifactStore, variants: Iterable[str], owner: str = HOUSE
) -> str | None:
    """Set MLflow's aliases to an owner's in the store.

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
                found = readable_alias(store, variant, alias, owner)
                number = None if found is None else numbers.get(found.digest)
                called = mlflow_alias(alias, owner)
                if number is not None and named.get(variant, {}).get(called) != number:
                    registry.set_alias(variant, called, str(number))
    except (MlflowException, OSError) as error:
        why = f"MLflow's aliases lag behind: {str(error).splitlines()[0]}"
        logger.warning(
            "%s; the store has moved, the next promotion or training aligns MLflow",
            why,
        )
        return why
    return None


def mlflow_alias(alias: str, owner: str) -> str:
    """The alias in MLflow, where names hold letters, digits, `_` and `-`: `champion` is the
    house's, `champion-mine` a tenant's."""
    return f"{alias}-{owner_code(owner)}" if owner else alias


def name_of_mlflow_alias(called: str) -> str:
    """The inverse of `mlflow_alias`: `champion`, or `mine/champion`; other aliases of MLflow as
    they are."""
    for alias in (CHAMPION, CHALLENGER):
        owner = owner_from(called.removeprefix(f"{alias}-"))
        if called.startswith(f"{alias}-") and owner is not None:
            return alias_name(alias, owner)
    return called


def readable_alias(
    store: ArtifactStore, variant: str, alias: str, owner: str = HOUSE
) -> Alias | None:
    """An owner's alias of a variant; None if there is none, or if it is broken and will be
    replaced."""
    try:
        return store.alias(variant, alias, owner)
    except ArtifactRefused:
        return None
