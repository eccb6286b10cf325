"""Services: addresses by name, in the service file of libpq."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from fraud.errors import SettingInvalid


def service_parameters(variable: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of the service that an address names.

    Args:
        variable: the setting that holds the address.
        given: its parameters, `service` and perhaps `servicefile` among them.

    Raises:
        SettingInvalid: the file cannot be read, or does not have the service.
    """
    named = given.get("servicefile") or os.environ.get("PGSERVICEFILE")
    path = Path(named) if named else Path.home() / ".pg_service.conf"
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except OSError:
        raise SettingInvalid(
            variable, "the service file cannot be read", "set PGSERVICEFILE to its path"
        ) from None
    except (configparser.Error, UnicodeDecodeError):
        raise SettingInvalid(
            variable, "the service file is damaged", "its lines are [name] and key=value"
        ) from None
    if not parser.has_section(given["service"]):
        raise SettingInvalid(
            variable, "the service file does not have the service", "correct its name"
        )
    return dict(parser.items(given["service"]))
