"""TLS of a connection to PostgreSQL, as set by libpq's parameters."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fraud.errors import SettingInvalid
from stores import parameters

_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Tls:
    """Attributes:
    variable: the setting that holds the address.
    given: names and values that the driver reads itself.
    system: the system's authorities are trusted, and the host name is checked.
    direct: TLS begins at once, without negotiation.
    """

    variable: str = ""
    given: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    system: bool = False
    direct: bool = False

    @classmethod
    def of(cls, variable: str, given: Mapping[str, str]) -> Tls:
        """Return the settings in libpq's parameters.

        Raises:
            SettingInvalid: one is wrong or not supported, or two contradict each other.
        """
        taken = {name: value for name, value in given.items() if value}
        for name in ("ssl", "requiressl"):
            if name in taken:
                mode = _mode_of(variable, name, taken.pop(name))
                taken.setdefault("sslmode", mode)
        chosen = taken.get("sslmode")
        if chosen is not None:
            parameters.one_of(variable, "sslmode", chosen, _MODES)
        for name in ("ssl_min_protocol_version", "ssl_max_protocol_version"):
            if name in taken:
                parameters.one_of(variable, name, taken[name], _VERSIONS)
        negotiation = taken.pop("sslnegotiation", "postgres")
        direct = (
            parameters.one_of(variable, "sslnegotiation", negotiation, ("postgres", "direct"))
            == "direct"
        )
        system = taken.get("sslrootcert") == _SYSTEM
        if system:
            del taken["sslrootcert"]
            if chosen not in (None, "verify-full"):
                raise SettingInvalid(
                    variable,
                    "sslrootcert=system needs the host name checked",
                    "use sslmode=verify-full",
                )
        elif direct and chosen not in _MODES[3:]:
            raise SettingInvalid(
                variable, "sslnegotiation=direct needs TLS", "use sslmode=require or stricter"
            )
        return cls(variable, tuple(taken.items()), system, direct)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `asyncpg.connect`.

        Raises:
            SettingInvalid: a file is missing, or is not what it should be.
        """
        self._check_files()
        arguments: dict[str, Any] = {"direct_tls": True} if self.direct else {}
        if self.system:
            return {**arguments, "ssl": self._context()}
        # The driver makes a context of these, and decides when to continue without TLS.
        return {
            **arguments,
            "dsn": f"postgresql://?{urlencode(self.given)}" if self.given else None,
        }

    def _check_files(self) -> None:
        given = dict(self.given)
        for name in _FILES:
            if name in given and not os.access(given[name], os.R_OK):
                raise SettingInvalid(
                    self.variable, f"the file of {name} cannot be read", "check its path and owner"
                )
        verifies = given.get("sslmode") in ("verify-ca", "verify-full")
        if self.system or not verifies or given.get("sslrootcert"):
            return
        if not os.environ.get("PGSSLROOTCERT"):
            own = Path.home() / ".postgresql" / "root.crt"
            if not own.exists():
                raise SettingInvalid(
                    self.variable,
                    f"sslmode={given['sslmode']} has no authority to trust",
                    "use sslrootcert=system, or sslrootcert=FILE with the authority's certificate",
                )

    def _context(self) -> ssl.SSLContext:
        given = dict(self.given)
        context = ssl.create_default_context()
        context.minimum_version = _version(given.get("ssl_min_protocol_version", "TLSv1.2"))
        if "ssl_max_protocol_version" in given:
            context.maximum_version = _version(given["ssl_max_protocol_version"])
        if "sslcert" in given:
            context.load_cert_chain(
                given["sslcert"], given.get("sslkey"), given.get("sslpassword", "")
            )
        if "sslcrl" in given:
            context.load_verify_locations(given["sslcrl"])
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
        if ssl.HAS_ALPN:
            context.set_alpn_protocols(["postgresql"])
        return context


def _mode_of(variable: str, name: str, value: str) -> str:
    """Return the mode for the parameters `ssl` and `requiressl` of other tools."""
    if value in _MODES:
        return value
    return "require" if parameters.is_true(variable, name, value) else "prefer"


def _version(name: str) -> ssl.TLSVersion:
    return ssl.TLSVersion[name.replace(".", "_")]
