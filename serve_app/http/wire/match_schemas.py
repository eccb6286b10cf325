"""How a file fits reference models, on the wire; see `references.matching.match`."""

from __future__ import annotations

from typing import Annotated, get_args

from msgspec import Meta, Struct, convert

from references.matching.match import Match, ReasonCode

ReasonCodeName = Annotated[
    str,
    Meta(
        description="stable, for machines",
        extra_json_schema={"enum": list(get_args(ReasonCode))},
    ),
]
Share = Annotated[float, Meta(ge=0, le=1)]


class MatchReasonOut(Struct, gc=False):
    """Why a reference model, or the file as a whole, does not fit. It holds no value of the
    file."""

    code: ReasonCodeName
    detail: Annotated[str, Meta(description="one sentence")]
    column: Annotated[str, Meta(description="the column at fault; empty: the whole")]
    needed: Annotated[str, Meta(description="what would make it fit; empty: nothing would")]


class ConversionOut(Struct, gc=False):
    """A change of unit. It is applied only if the options confirm its code."""

    code: Annotated[str, Meta(description="what `convert` confirms, such as `minor-to-major`")]
    factor: Annotated[float, Meta(description="what each number is multiplied by; 1: a format")]
    detail: Annotated[str, Meta(description="one sentence")]


class ColumnMatchOut(Struct, gc=False):
    """A column that the models use, and its counterpart in the file."""

    column: Annotated[str, Meta(description="of the reference model")]
    file_column: Annotated[str | None, Meta(description="of the file; null: no counterpart")]
    score: Annotated[float, Meta(ge=0, le=1, description="how well they match")]
    name_score: Share
    distribution_score: Share
    importance: Annotated[float, Meta(ge=0, le=1, description="its share of the models' attention")]
    required: Annotated[bool, Meta(description="without it the models cannot be used")]
    note: Annotated[str, Meta(description="one sentence about the match; empty if it is plain")]
    proposed: Annotated[
        ConversionOut | None, Meta(description="a conversion that waits for a confirmation")
    ]
    applied: Annotated[ConversionOut | None, Meta(description="the conversion that was confirmed")]


class ModelMatchOut(Struct, gc=False):
    """How well the file fits one reference model."""

    reference: Annotated[str, Meta(description="its `name@version`")]
    similarity: Annotated[float, Meta(ge=0, le=1, description="coverage times closeness")]
    coverage: Annotated[
        float, Meta(ge=0, le=1, description="importance of the columns that have a counterpart")
    ]
    closeness: Annotated[
        float, Meta(ge=0, le=1, description="how close their distributions are on average")
    ]
    domain_auc: Annotated[
        float | None,
        Meta(
            description="how easily a classifier tells the file from the training data: 0.5 not at "
            "all, 1 always; null: not measured"
        ),
    ]
    columns: list[ColumnMatchOut]
    unused: Annotated[list[str], Meta(description="columns of the file without a use here")]
    reasons: Annotated[list[MatchReasonOut], Meta(description="why it is not used; empty: it fits")]
    weight: Annotated[float, Meta(ge=0, le=1, description="of its score in the ensemble")]
    forced: Annotated[bool, Meta(description="the options name it, although it does not fit")]


class MatchOut(Struct, gc=False):
    """How well the file fits the reference models."""

    models: Annotated[list[ModelMatchOut], Meta(description="the best first, at most 20")]
    chosen: Annotated[list[str], Meta(description="those that score; empty: the file is refused")]
    reasons: Annotated[list[MatchReasonOut], Meta(description="why the file as a whole is refused")]
    rows: Annotated[int, Meta(ge=0, description="rows of the file that were looked at")]
    notes: list[str]


def match_out(match: Match) -> MatchOut:
    """Return a match as it is sent."""
    return convert(match, MatchOut, from_attributes=True)
