"""The checks of the audit, one file each. They are found by listing this folder: no other module names them."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cnx_mock.audit.check import Check


@cache
def checks() -> tuple[Check, ...]:
    """Return every check, sorted by code."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted((kind() for kind in Check.__subclasses__()), key=lambda check: check.code))
