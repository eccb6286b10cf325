"""One trial of a search of hyper-parameters."""

from __future__ import annotations

from dataclasses import dataclass

from training.fit.variants.rung import WHOLE

Parameter = float | int | str | bool


@dataclass(frozen=True, slots=True)
class Trial:
    """One choice of parameters.

    Attributes:
        variant: whose.
        number: 0 is the configuration as it was told.
        parameters: name -> value, of those that were searched.
        average_precision: on the validation part, in [0, 1], after the effort it was given.
        effort: ninths of the whole effort; fewer than 9: given up.
        size: rounds, trees or rows that took.
        seconds: time it took.
    """

    variant: str
    number: int
    parameters: dict[str, Parameter]
    average_precision: float
    effort: int
    size: int
    seconds: float

    def row(self) -> dict[str, Parameter]:
        """As one flat row of a table; parameters carry `parameter.` before their names."""
        return {
            "variant": self.variant,
            "trial": self.number,
            "average_precision": self.average_precision,
            "effort": self.effort / WHOLE,
            "size": self.size,
            "seconds": self.seconds,
            **{f"parameter.{name}": value for name, value in self.parameters.items()},
        }
