"""Names of variants in plans and votes: whose model, which variant, which version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

VARIANT_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
"""Names of variants, as the artifact store keeps them."""
_REFERENCE = re.compile(
    rf"(?:([A-Za-z0-9][A-Za-z0-9._-]{{0,63}})/)?({VARIANT_PATTERN})(?:@([0-9a-f]{{12}}))?"
)

HOUSE = ""
"""The owner of the models and plans that decide for every tenant without its own."""


@dataclass(frozen=True, slots=True)
class VariantRef:
    """The name under which a plan asks for a model.

    `xgboost` is the house's champion of that variant, `acme/xgboost` the champion of tenant `acme`,
    and `xgboost@2fd6da9b13f3` one version for good. Each has a pool of its own.

    Attributes:
        variant: name of the variant: lower-case letters, digits, dots, dashes and underscores,
            64 at most.
        owner: the tenant whose champion it is, `HOUSE` for the house's.
        version: first 12 hex digits of the artifact's digest; "" follows the champion.

    >>> VariantRef.parse("acme/xgboost@2fd6da9b13f3")
    VariantRef(variant='xgboost', owner='acme', version='2fd6da9b13f3')
    >>> str(VariantRef("xgboost", owner="acme"))
    'acme/xgboost'
    """

    variant: str
    owner: str = HOUSE
    version: str = ""

    @classmethod
    def parse(cls, text: str) -> VariantRef:
        """Read a name.

        Raises:
            ValueError: it does not have the form `[tenant/]variant[@version]`.
        """
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise ValueError("expected [tenant/]variant[@version], such as xgboost@2fd6da9b13f3")
        owner, variant, version = found.groups(default="")
        return cls(variant, owner, version)

    def __str__(self) -> str:
        owner = f"{self.owner}/" if self.owner else ""
        return f"{owner}{self.variant}{'@' if self.version else ''}{self.version}"


@lru_cache(maxsize=1024)
def base_variant(name: str) -> str:
    """Return the variant of a name in a plan or a vote, without tenant and version.

    >>> base_variant("acme/xgboost@2fd6da9b13f3"), base_variant("xgboost")
    ('xgboost', 'xgboost')
    """
    return name.partition("@")[0].rpartition("/")[2]
