"""Services: addresses by name, in the file that libpq's programs share."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from fraud.errors import SettingInvalid


def service_parameters(variable: str, given: Mapping[str, str]) -> dict[str, str]:
    """What the service file says of the service that an address names.

    Args:
        variable: the setting of the address.
        given: its parameters; `service`, perhaps `servicefile`.

    Raises:
        SettingInvalid: there is no such file, or it knows no such service.
    """
    named = given.get("servicefile") or os.environ.get("PGSERVICEFILE")
    path = Path(named) if named else Path.home() / ".pg_service.conf"
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except OSError:
        raise SettingInvalid(
            variable, "the file of services cannot be read", "set PGSERVICEFILE to its path"
        ) from None
    except (configparser.Error, UnicodeDecodeError):
        raise SettingInvalid(
            variable, "the file of services is damaged", "it has lines [name] and key=value"
        ) from None
    if not parser.has_section(given["service"]):
        raise SettingInvalid(
            variable, "the file of services does not know the service", "correct its name"
        )
    return dict(parser.items(given["service"]))
