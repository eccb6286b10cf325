"""What a caller may choose about a job."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_MODELS = 5


class JobOptions(BaseModel):
    """Options of a job. Unknown ones are refused.

    Attributes:
        models: most models that score the file, the best matches.
        model: names of references (`name` or `name@version`) to use in any case.
        columns: column of the file -> column of the reference, where the caller knows better;
            "" leaves the column out.
        convert: column of the file -> code of a proposed conversion that the caller confirms.
        ignore: columns of the file that are not looked at, such as an old label.
        high, medium: probabilities from which the risk level is high, and medium, in (0, 1).
        review: levels by rank instead: the N riskiest rows are high.
        recalibrate: adjust probabilities to the file's own rate of fraud: `auto` only if it is
            safe.
        confirm: start at once if the match is good; else the job waits for a confirmation.
        format: of the result.
        dialect: of a CSV file where guessing fails: delimiter, encoding, decimal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: int = Field(3, ge=1, le=MAX_MODELS)
    model: tuple[str, ...] = ()
    columns: dict[str, str] = Field(default_factory=dict)
    convert: dict[str, str] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    high: float = Field(0.5, gt=0, lt=1)
    medium: float = Field(0.1, gt=0, lt=1)
    review: int | None = Field(None, ge=1)
    recalibrate: Literal["auto", "never"] = "auto"
    confirm: bool = True
    format: Literal["csv", "parquet"] = "csv"
    dialect: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.medium >= self.high:
            raise ValueError("medium must be below high")
        if len(self.model) > MAX_MODELS:
            raise ValueError(f"model: at most {MAX_MODELS}")
        contradicted = sorted(set(self.ignore) & {*self.columns, *self.convert})
        if contradicted:
            raise ValueError(f"ignore: {contradicted[0]} is also to be read as a column")
        return self
