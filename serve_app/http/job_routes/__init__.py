"""The routes of the application `jobs`: every `Route` in a module of this folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from serve_app.http.route import Route

JOB_ROUTES: Final = tuple(
    declared
    for module in iter_modules(__path__)
    for declared in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(declared, Route)
)
