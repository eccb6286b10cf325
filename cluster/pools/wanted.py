"""The pools that must run, and why each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cluster.pools.declared import Declaration
from cluster.pools.serve_pools import Config, pools_of
from fraud.plan import Plan
from fraud.variant import VariantRef


@dataclass(frozen=True, slots=True)
class WantedPool:
    """A pool that must run.

    Attributes:
        declaration: its variant and size.
        configured: it is in the Serve configuration.
        declared: it is declared.
        plans: the active plans that name it, such as `default v3` or `own v1 of acme`.
        kept: it runs, and an active plan that may name it cannot be read.
    """

    declaration: Declaration
    configured: bool = False
    declared: bool = False
    plans: tuple[str, ...] = ()
    kept: bool = False

    @property
    def name(self) -> str:
        """The variant, as plans name it."""
        return self.declaration.name

    @property
    def why(self) -> str:
        """Why it must run."""
        reasons = (
            *(["in the Serve configuration"] if self.configured else []),
            *(["declared"] if self.declared else []),
            *(f"plan {plan}" for plan in self.plans),
            *(["it runs, and an active plan cannot be read"] if self.kept else []),
        )
        return ", ".join(reasons)


def wanted_pools(
    config: Config,
    declared: Iterable[Declaration],
    plans: Mapping[str, Plan],
    kept: Iterable[str] = (),
) -> tuple[WantedPool, ...]:
    """Return the pools that must run: the configuration's first, then others by name.

    Args:
        config: the Serve configuration. What it says of a pool holds, declared or not.
        declared: declarations of more pools.
        plans: the active plan of each owner.
        kept: variants whose pools stay even if nothing here names them.
    """
    configured = pools_of(config)
    sizes = {declaration.name: declaration for declaration in declared}
    needed: dict[str, list[str]] = {}
    for owner, plan in sorted(plans.items()):
        for name in filter(_is_variant, plan.variants):
            needed.setdefault(name, []).append(plan_text(owner, plan))
    others = sorted({*sizes, *needed, *kept}.difference(configured))
    return tuple(
        WantedPool(
            sizes.get(name, Declaration(name=name)),
            name in configured,
            name in sizes,
            tuple(needed.get(name, ())),
            not (name in configured or name in sizes or name in needed),
        )
        for name in (*configured, *others)
    )


def plan_text(owner: str, plan: Plan) -> str:
    """Return a plan's name and version, and whose it is, if it is a tenant's."""
    return f"{plan.name} v{plan.version}{f' of {owner}' if owner else ''}"


def _is_variant(name: str) -> bool:
    try:
        VariantRef.parse(name)
    except ValueError:
        return False
    return True
