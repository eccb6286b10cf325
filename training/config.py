"""The configuration of `quorum train`: a TOML file in which every key is optional.

seed = 7
history_days = 90           # the newest days only
[split]
test_fraction = 0.15        # of the labelled payments, the newest
[rates]
review = 0.005              # share of payments that go to review or worse
[honest]                    # columns that look like leaks to the guard, and why they are not
device_score = "the vendor answers before the payment is decided"
[costs]                     # instead of rates: thresholds of the lowest cost
review = 4.0
false_block = 25.0
[xgboost]
rounds = 200
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from fraud.costs import CHALLENGE_STOPS, Costs
from fraud.costs import HIGHEST as HIGHEST_COST
from fraud.methods.registry import METHODS
from settings.toml_file import read_toml
from training.finding import CODES as LEAKS

SUPERVISED = ("xgboost", "random-forest", "logistic")
ANOMALY = "isolation-forest"
VARIANTS = (*SUPERVISED, ANOMALY)
CombinerChoice = Literal["choose", *METHODS]  # type: ignore[valid-type]
BASELINE = "logistic"
"""The supervised variant with which the others are compared."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SplitConfig(_Section):
    """How history is split by time: warm-up | train | gap | validation | calibration | gap | test.
    Never at random."""

    method: str = Field(default="time", description="`time`, the only honest split")
    warmup_days: float | None = Field(
        default=None,
        ge=0,
        description="feature windows fill up, not trained on; unset: 20 % of the span, at most 30",
    )
    validation_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="of the labelled payments"
    )
    calibration_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="of the labelled payments"
    )
    test_fraction: float = Field(default=0.15, gt=0, lt=1, description="of the labelled payments")
    validation_days: float | None = Field(default=None, gt=0, description="instead of the fraction")
    calibration_days: float | None = Field(
        default=None, gt=0, description="instead of the fraction"
    )
    test_days: float | None = Field(default=None, gt=0, description="instead of the fraction")
    gap_days: float | None = Field(
        default=None,
        ge=0,
        description="label delay; unset: the time within which 90 % of frauds were known, at most"
        " 10 % of the span",
    )
    min_train_frauds: int = Field(default=20, ge=1)
    min_validation_frauds: int = Field(default=10, ge=1)
    min_calibration_frauds: int = Field(default=10, ge=1)
    min_test_frauds: int = Field(default=1, ge=1)
    wanted_frauds: int = Field(
        default=30,
        ge=0,
        description="known frauds wanted in each of validation, calibration and test: a fraction"
        " grows to at most twice its size to hold them; the report names parts with fewer",
    )
    shared_calibration: bool = Field(
        default=False,
        description="with too few frauds for two slices, use one for validation and calibration",
    )

    @field_validator("method")
    @classmethod
    def _by_time(cls, method: str) -> str:
        if method == "random":
            raise ValueError(
                "a random split is refused: payments of the same fraud would lie on both sides,"
                ' and no model would reach such figures on later payments; use "time"'
            )
        if method != "time":
            raise ValueError('expected "time"')
        return method


class CrossFitConfig(_Section):
    """Cross-fitting over time instead of holding slices back: choices and calibration rest on
    scores of models that had not seen the row, and the served models are fitted on every row."""

    use: Literal["never", "tables", "always"] = Field(
        default="tables", description="`tables`: for tables only, which are small"
    )
    folds: int = Field(default=4, ge=2, le=20)
    first: float = Field(
        default=0.4, gt=0, lt=1, description="share of the oldest rows, which are never held back"
    )
    label_delay: bool = Field(
        default=True, description="a fold is fitted on labels known when its held-back rows begin"
    )


class RateConfig(_Section):
    """Cumulative shares of all payments: `review` includes blocked payments."""

    block: float = Field(default=0.001, gt=0, lt=1)
    review: float = Field(default=0.005, gt=0, lt=1)
    challenge: float = Field(default=0.01, gt=0, lt=1)
    anomaly_challenge: float = Field(default=0.001, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> RateConfig:
        if not self.block <= self.review <= self.challenge:
            raise ValueError("rates: expected block <= review <= challenge")
        return self


class CostConfig(_Section):
    """What outcomes cost, see `fraud.costs.Costs`. Thresholds then minimise the total cost,
    whatever share of payments they send to review. The plan keeps the costs for its reports."""

    review: float = Field(ge=0, le=HIGHEST_COST, description="of one review")
    false_block: float = Field(ge=0, le=HIGHEST_COST, description="of blocking a genuine payment")
    missed_share: float = Field(
        default=1.0, gt=0, le=100, description="share of a fraud's amount that is lost if approved"
    )
    challenge: float | None = Field(
        default=None,
        ge=0,
        le=HIGHEST_COST,
        description="of one challenge; unset: nothing is challenged by score",
    )
    challenge_stops: float = Field(
        default=CHALLENGE_STOPS, ge=0, le=1, description="share of fraud that a challenge stops"
    )

    @property
    def costs(self) -> Costs:
        """As a plan holds them."""
        return Costs(**self.model_dump())


class XGBoostConfig(_Section):
    """Gradient-boosted trees."""

    rounds: int = Field(default=300, ge=1, le=5000)
    early_stopping_rounds: int = Field(default=20, ge=1)
    max_depth: int = Field(default=6, ge=1, le=12)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    min_child_weight: float = Field(default=2.0, ge=0)
    min_split_gain: float = Field(default=0.0, ge=0)
    subsample: float = Field(default=0.9, gt=0, le=1)
    colsample_bytree: float = Field(default=1.0, gt=0, le=1)
    colsample_bynode: float = Field(default=0.3, gt=0, le=1)
    reg_lambda: float = Field(default=2.0, ge=0)
    max_bin: int = Field(
        default=512,
        ge=16,
        le=4096,
        description="bins of a feature; too few miss thresholds in the tails",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Ray Train workers")
    checkpoint_rounds: int = Field(default=50, ge=1, description="rounds between checkpoints")
    max_failures: int = Field(
        default=3,
        ge=0,
        description="how often training resumes from a checkpoint after a worker died",
    )
    threads: int = Field(
        default=1, ge=1, le=64, description="of a worker; more pay off only on idle cores"
    )


FraudWeight = Literal["none", "sqrt", "balanced"]
"""The factor on a fraud's weight: 1, sqrt(genuine / fraud), or genuine / fraud."""


class RandomForestConfig(_Section):
    """Many trees of limited size, so that the graph stays small."""

    splits: Literal["best", "random"] = Field(
        default="best",
        description="`best`: the best cut on bootstrapped rows; `random`: the best of random cuts"
        " on all rows (extremely randomised trees), for small sets",
    )
    trees: int = Field(default=100, ge=1, le=200)
    max_leaves: int = Field(default=512, ge=2, le=512)
    min_samples_leaf: int = Field(default=5, ge=1)
    max_features: float | Literal["sqrt"] = Field(
        default="sqrt", description="considered at a split: a share, or the square root"
    )
    fraud_weight: FraudWeight = "sqrt"
    max_rows: int = Field(
        default=30_000, ge=100, description="every fraud, and genuine rows thinned to this total"
    )

    @field_validator("max_features")
    @classmethod
    def _share(cls, value: float | str) -> float | str:
        if isinstance(value, float) and not 0 < value <= 1:
            raise ValueError('expected "sqrt", or a share above 0 and at most 1')
        return value


class LogisticConfig(_Section):
    """Ridge logistic regression on scaled, stepped and one-hot columns."""

    inverse_penalty: float = Field(default=0.05, gt=0)
    scaling: Literal["log", "robust"] = Field(
        default="log",
        description="`log`: standardised signed logs, for amounts and counts; `robust`: by median"
        " and quartiles, for columns that are scaled already",
    )
    steps: bool = Field(default=True, description="add 0/1 columns: above a quantile")
    squares: bool = Field(default=False, description="add squares of the scaled columns")
    fraud_weight: float = Field(default=1.0, gt=0, description="weight of a fraud row")
    max_rows: int = Field(
        default=40_000, ge=100, description="every fraud, and genuine rows thinned to this total"
    )
    max_iterations: int = Field(default=200, ge=1)


class IsolationForestConfig(_Section):
    """Random isolation trees, which measure how unusual a row is and use no labels."""

    trees: int = Field(default=100, ge=1, le=500)
    sample_rows: int = Field(default=512, ge=16)


class SearchConfig(_Section):
    """Hyper-parameter search before fitting, by average precision on the validation part. Without a
    budget there is no search."""

    trials: int = Field(default=0, ge=0, le=10_000, description="of each variant; 0: no limit")
    minutes: float | None = Field(
        default=None, gt=0, description="of each variant; all variants search at once"
    )
    variants: tuple[str, ...] = SUPERVISED

    @field_validator("variants")
    @classmethod
    def _supervised(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(variants) - set(SUPERVISED))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(SUPERVISED)}")
        return variants

    @property
    def has_budget(self) -> bool:
        """Whether a budget is set."""
        return self.trials > 0 or self.minutes is not None


class CascadeConfig(_Section):
    """The cascade that is fitted beside the plan: cheap variants decide the clear payments, the
    plan's ensemble the rest. Training does not activate it."""

    stages: tuple[str, ...] = Field(
        default=(),
        description="the variants that decide first, in this order; unset: the cheapest one that"
        " leaves the ensemble at most a fifth of the payments",
    )
    keep: float = Field(
        default=0.99,
        gt=0,
        lt=1,
        description="share of the ensemble's average precision that the cascade must keep",
    )

    @field_validator("stages")
    @classmethod
    def _supervised(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(stages) - set(SUPERVISED))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(SUPERVISED)}")
        if len(set(stages)) != len(stages):
            raise ValueError("expected each variant at most once")
        return stages


class ReportConfig(_Section):
    """How closely the models are evaluated; costs time, changes no model."""

    resamples: int = Field(default=200, ge=20, le=10_000, description="of each interval")
    importance_features: int = Field(
        default=30,
        ge=0,
        le=1000,
        description="features to shuffle, strongest first; 0: none",
    )
    importance_rows: int = Field(
        default=2_000, ge=200, description="test rows on which they are shuffled"
    )
    effects: int = Field(default=6, ge=0, le=100, description="features whose effect is drawn")


class TrainConfig(_Section):
    """Everything besides the data that determines the result."""

    seed: int = Field(default=7, ge=0, lt=2**31)
    history_days: float | None = Field(default=None, gt=0, description="the newest days only")
    max_training_rows: int = Field(
        default=400_000, ge=100, description="beyond this, genuine rows are thinned and weighted up"
    )
    variants: tuple[str, ...] = Field(default=VARIANTS)
    allow_leaks: tuple[str, ...] = Field(
        default=(), description="codes of the leak guard that only warn"
    )
    honest: dict[str, str] = Field(
        default={},
        description="column -> why it is known when the payment is decided: findings of the leak"
        " guard on it only warn, with the reason",
    )
    deadline_ms: int = Field(
        default=100, gt=0, description="of the plan: how long to wait for votes"
    )
    split: SplitConfig = SplitConfig()
    cross_fit: CrossFitConfig = CrossFitConfig()
    rates: RateConfig = RateConfig()
    costs: CostConfig | None = Field(
        default=None, description="thresholds by cost instead of `rates`"
    )
    combiner: CombinerChoice = Field(
        default="choose", description="`choose`: the one that ranks later validation rows better"
    )
    cascade: CascadeConfig = CascadeConfig()
    xgboost: XGBoostConfig = XGBoostConfig()
    random_forest: RandomForestConfig = RandomForestConfig()
    logistic: LogisticConfig = LogisticConfig()
    isolation_forest: IsolationForestConfig = IsolationForestConfig()
    search: SearchConfig = SearchConfig()
    report: ReportConfig = ReportConfig()

    @model_validator(mode="after")
    def _known_variants(self) -> TrainConfig:
        unknown = sorted(set(self.variants) - set(VARIANTS))
        if unknown:
            raise ValueError(f"variants: {unknown[0]!r} is none of {', '.join(VARIANTS)}")
        if len(set(self.variants)) != len(self.variants):
            raise ValueError("variants: expected each at most once")
        if not set(self.variants) & set(SUPERVISED):
            raise ValueError("variants: at least one supervised variant must vote")
        return self

    @field_validator("honest")
    @classmethod
    def _with_reasons(cls, honest: dict[str, str]) -> dict[str, str]:
        bare = sorted(column for column, reason in honest.items() if not reason.strip())
        if bare:
            raise ValueError(f"{bare[0]}: a reason is needed, which is stored with the run")
        return honest

    @field_validator("allow_leaks")
    @classmethod
    def _known_leaks(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(codes) - set(LEAKS))
        if unknown:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(LEAKS)}")
        return codes

    @property
    def supervised(self) -> tuple[str, ...]:
        """The variants that vote, in a fixed order."""
        return tuple(v for v in SUPERVISED if v in self.variants)

    @property
    def anomaly(self) -> str | None:
        """The anomaly variant, which does not vote; None if it is not trained."""
        return ANOMALY if ANOMALY in self.variants else None


def without_warmup(config: TrainConfig) -> TrainConfig:
    """The configuration for a table, which has no windows to fill: no warm-up unless configured."""
    if config.split.warmup_days is not None:
        return config
    split = config.split.model_copy(update={"warmup_days": 0.0})
    return config.model_copy(update={"split": split})


def read_config(path: Path) -> TrainConfig:
    """Read a TOML file.

    Raises:
        InvalidInput: the file is missing, is not TOML, or a value is invalid.
    """
    return read_toml(path, TrainConfig)
