"""What fitting a variant returns: files, and what has to be known to run and to trust them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model, small enough to be sent.

    Attributes:
        variant, family, runtime: see `models.artifact.Manifest`.
        files: name -> bytes; holds what the runtime needs.
        parameters: what it was fitted with, for the registry.
        imbalance: how the rarity of fraud was dealt with, in a sentence.
        losses: log-loss on the validation part after each round, in nats; () of a model that is
            not fitted in rounds.
    """

    variant: str
    family: str
    runtime: str
    files: dict[str, bytes]
    parameters: dict[str, float | int | str]
    imbalance: str
    losses: tuple[float, ...] = ()
