"""TLS between machines, with the certificates that Ray's own traffic uses.

Where `RAY_USE_TLS=1` is set, `RAY_TLS_SERVER_CERT`, `RAY_TLS_SERVER_KEY` and `RAY_TLS_CA_CERT` name
this machine's certificate, its key and the authority that signed every machine's. Both ends of a
link then show their certificate and check that of the other one.
"""

from __future__ import annotations

import os
import ssl
from asyncio import BaseTransport
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from fraud.errors import SettingInvalid

_USE = "RAY_USE_TLS"
_CERT, _KEY, _CA = "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT"


@dataclass(frozen=True)
class Tls:
    """What both ends of a connection use.

    Attributes:
        replica: context of the end that listens.
        caller: context of the end that connects.
    """

    replica: ssl.SSLContext
    caller: ssl.SSLContext

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Tls | None:
        """Return the TLS that Ray's variables ask for, None if they ask for none.

        Raises:
            SettingInvalid: a file is missing or cannot be used.
        """
        if environment.get(_USE, "0").lower() not in ("1", "true"):
            return None
        contexts = []
        for side in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT):
            context = ssl.SSLContext(side)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            # The names are checked by `require_named`, as many certificates have none.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_REQUIRED
            _load(context, environment)
            contexts.append(context)
        return cls(*contexts)


def require_named(transport: BaseTransport, address: str) -> None:
    """Refuse a certificate that is for other addresses. One for no address is for any; loopback
    addresses in it say nothing of the machine.

    Raises:
        PermissionError: the certificate at the other end names addresses, but not this one.
    """
    certificate = transport.get_extra_info("peercert") or {}
    named = [
        ip_address(value.strip())
        for kind, value in certificate.get("subjectAltName", ())
        if kind == "IP Address"
    ]
    named = [one for one in named if not one.is_loopback]
    if named and ip_address(address) not in named:
        raise PermissionError(f"the certificate at {address} is for {named[0]}")


def _load(context: ssl.SSLContext, environment: Mapping[str, str]) -> None:
    for variable in (_CERT, _KEY, _CA):
        if not environment.get(variable):
            raise SettingInvalid(variable, f"it is not set, but {_USE} is", "name the PEM file")
    try:
        context.load_cert_chain(environment[_CERT], environment[_KEY])
    except (OSError, ssl.SSLError) as error:
        raise SettingInvalid(
            _CERT, f"it cannot be used with {_KEY}: {_why(error)}", "name PEM files of one pair"
        ) from error
    try:
        context.load_verify_locations(environment[_CA])
    except (OSError, ssl.SSLError) as error:
        raise SettingInvalid(
            _CA, f"it cannot be used: {_why(error)}", "name a PEM file with the authority"
        ) from error


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
