"""The checks, one file each. This registry finds them by looking; nothing names them."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from cnx_mock.audit.check import Check


@cache
def checks() -> tuple[Check, ...]:
    """Every check there is, in the order of their codes."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted((kind() for kind in Check.__subclasses__()), key=lambda check: check.code))
