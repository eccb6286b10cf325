"""Names of the Serve applications that are pools of variants. Needs no Ray."""

from __future__ import annotations

import re

from fraud.variant import VARIANT_PATTERN, VariantRef

PREFIX = "variant-"
# Names of variants have no capital letters: the first one ends the variant.
_NAME = re.compile(rf"{PREFIX}({VARIANT_PATTERN})(?:\.V([0-9a-f]{{12}}))?(?:\.T(.+))?")


def app_name(variant: str) -> str:
    """Return the name of the Serve application that is the pool of a variant.

    Serve uses it in names of files and metrics, so it has letters, digits, `.`, `_` and `-` only.

    Args:
        variant: as plans name it; see `VariantRef`.

    Raises:
        ValueError: it is not the name of a variant.

    >>> app_name("xgboost"), app_name("acme/xgboost@2fd6da9b13f3")
    ('variant-xgboost', 'variant-xgboost.V2fd6da9b13f3.Tacme')
    """
    ref = VariantRef.parse(variant)
    version = f".V{ref.version}" if ref.version else ""
    owner = f".T{ref.owner}" if ref.owner else ""
    return f"{PREFIX}{ref.variant}{version}{owner}"


def variant_of(application: str) -> str | None:
    """Return the variant of a pool, as plans name it; None if the application is no pool.

    Inverts `app_name`.
    """
    found = _NAME.fullmatch(application)
    if found is None:
        return None
    variant, version, owner = found.groups(default="")
    ref = str(VariantRef(variant, owner, version))
    try:
        return str(VariantRef.parse(ref))
    except ValueError:
        return None
