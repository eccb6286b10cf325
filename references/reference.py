"""A reference model: what a training learnt from, and the models that it left."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from fraud.variant import HOUSE
from references.profile.column import ColumnProfile

ReferenceKind = Literal["tabular", "history"]
"""`tabular`: models of a table's own columns. `history`: models of the 183 features, which are
replayed from payments with customers and times."""


@dataclass(frozen=True, slots=True)
class ReferenceColumn:
    """A column that the models use.

    Attributes:
        profile: what it looked like in training. Of kind `history`, `profile.name` is a canonical
            field of a payment, such as `amount`.
        importance: its share of the models' attention, in [0, 1]; over all columns the sum is 1.
        required: without this column the models cannot be used.
        categorical: of kind `tabular`, the models take codes of its texts.
    """

    profile: ColumnProfile
    importance: float
    required: bool = False
    categorical: bool = False

    @property
    def name(self) -> str:
        """Its name in the training data."""
        return self.profile.name


@dataclass(frozen=True, slots=True)
class ReferenceModel:
    """A model of the training.

    Attributes:
        variant: its name in the artifact store.
        digest: of its artifact.
        family: `supervised` or `anomaly`.
        metrics: figures on the training's own test part.
    """

    variant: str
    digest: str
    family: str
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference model.

    Attributes:
        name: of the training set; lower-case letters, digits, dots, dashes and underscores.
        owner: the tenant whose reference it is; `HOUSE`: every tenant may use it.
        tenant: the tenant whose data it learnt from.
        kind: how features are made.
        schema_id: of the features that the models take.
        columns: what the models use, in the order of the models' features for kind `tabular`.
        label: name of the label's column in the training data; "" for history.
        label_rate: share of fraud among labelled rows, in [0, 1].
        rows: labelled rows of the training data.
        models: every model of the training; exactly one of family `anomaly` if there is any.
        best: the variant of `models` that scores files: the best supervised one on its own test.
        metrics: figures of `best` on its own test part.
        created_at: RFC 3339.
        decimal: the decimal sign of the training file, for kind `tabular`.
        missing: texts that mean a missing value, for kind `tabular`.
        calibrated_rate: share of fraud in the part of the training that the models' probabilities
            are calibrated on, in [0, 1]; None: unknown, as of trainings that did not tell it.
    """

    name: str
    owner: str
    tenant: str
    kind: ReferenceKind
    schema_id: str
    columns: tuple[ReferenceColumn, ...]
    label: str
    label_rate: float
    rows: int
    models: tuple[ReferenceModel, ...]
    best: str
    metrics: dict[str, float]
    created_at: str
    decimal: str = "."
    missing: tuple[str, ...] = ()
    calibrated_rate: float | None = None

    def model(self, variant: str) -> ReferenceModel:
        """Return a model by its variant; KeyError if there is none."""
        for model in self.models:
            if model.variant == variant:
                return model
        raise KeyError(variant)

    @property
    def anomaly_model(self) -> ReferenceModel | None:
        """The model that tells how unusual a row is; None if the training left none."""
        return next((model for model in self.models if model.family == "anomaly"), None)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Reference:
        """Invert `to_document`.

        Raises:
            ValueError, TypeError, KeyError: it is not such a document.
        """
        columns = tuple(
            ReferenceColumn(**{**c, "profile": ColumnProfile.from_document(c["profile"])})
            for c in document["columns"]
        )
        models = tuple(ReferenceModel(**model) for model in document["models"])
        missing = tuple(document.get("missing", ()))
        return cls(**{**document, "columns": columns, "models": models, "missing": missing})


@dataclass(frozen=True, slots=True)
class StoredReference:
    """A reference in the table, with what is known about it there.

    Attributes:
        version: first 12 hex digits of the artifact's digest.
        digest: of the artifact.
        alias: `champion` for the newest of its name, else "".
        size_bytes: of the reference's artifact and its models'.
        location: URL of the artifact store.
        times_used: jobs that it has scored.
    """

    reference: Reference
    version: str
    digest: str
    alias: str
    size_bytes: int
    location: str
    times_used: int = 0

    @property
    def id(self) -> str:
        """`name@version`, as messages and results call it."""
        return f"{self.reference.name}@{self.version}"

    @property
    def is_house(self) -> bool:
        """Whether every tenant may use it."""
        return self.reference.owner == HOUSE
