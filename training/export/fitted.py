"""The result of fitting a variant: its files, and how they were made and are run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model, small enough to be sent.

    Attributes:
        variant, family, runtime: see `models.artifact.Manifest`.
        files: name -> bytes; holds what the runtime needs.
        parameters: its hyper-parameters, for the registry.
        imbalance: how the rarity of fraud was dealt with, in a sentence.
        losses: log-loss on the validation part after each round, in nats; () for a model that is
            not fitted in rounds.
    """

    variant: str
    family: str
    runtime: str
    files: dict[str, bytes]
    parameters: dict[str, float | int | str]
    imbalance: str
    losses: tuple[float, ...] = ()
