"""One trial of a hyper-parameter search. Needs no Ray: reports read trials, too."""

from __future__ import annotations

from dataclasses import dataclass

from training.fit.variants.rung import WHOLE

Parameter = float | int | str | bool


@dataclass(frozen=True, slots=True)
class SearchTrial:
    """One choice of parameters.

    Attributes:
        variant: whose parameters.
        number: 0 is the configuration as given.
        parameters: name -> value, of the parameters that were searched.
        average_precision: on the validation part, in [0, 1], after the effort spent.
        effort: ninths of the whole effort; fewer than 9: the trial was stopped early.
        size: rounds, trees or rows that were fitted.
        seconds: wall time.
    """

    variant: str
    number: int
    parameters: dict[str, Parameter]
    average_precision: float
    effort: int
    size: int
    seconds: float

    def row(self) -> dict[str, Parameter]:
        """The trial as one flat row of a table, parameters prefixed with `parameter.`."""
        return {
            "variant": self.variant,
            "trial": self.number,
            "average_precision": self.average_precision,
            "effort": self.effort / WHOLE,
            "size": self.size,
            "seconds": self.seconds,
            **{f"parameter.{name}": value for name, value in self.parameters.items()},
        }
