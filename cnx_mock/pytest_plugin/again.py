"""The line that runs a test again. Every pytest run imports this, so it imports nothing but pytest and the standard
library."""

import os
import shlex
from collections.abc import Iterable, Iterator

import pytest

from cnx_mock.pytest_plugin.options import chosen_scenario, chosen_seed

_VALUES = ("--cnx-url", "--cnx-cell")
_SWITCHES = ("--cnx-intercept", "--cnx-no-egress")


def again(item: pytest.Item, *, cell: str = "", reading: str = "", switch: str = "") -> str:
    """Return the command that runs a test as it ran now, for a POSIX shell: with the same seed, scenario, server,
    readings and switches, from the folder in which pytest was started. `cell` is the cell of a sweep to run it with,
    `reading` a reading as NAME=OPTION, and `switch` one more switch."""
    config = item.config
    words = ["pytest", *_configuration(config), _target(item), *_option("--cnx-seed", str(chosen_seed(config)))]
    words += _option("--cnx-scenario", chosen_scenario(config))
    for name in _VALUES:
        words += _option(name, cell if cell and name == "--cnx-cell" else config.getoption(name))
    for chosen in _readings(config, reading):
        words += _option("--cnx-reading", chosen)
    words += [name for name in _SWITCHES if config.getoption(name)]
    words += [switch] if switch else []
    return shlex.join(words)


def _option(name: str, value: str | None) -> list[str]:
    if not value:
        return []
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def _readings(config: pytest.Config, reading: str) -> Iterable[str]:
    """Return the readings of the whole suite and this one, which comes before another option of the same name."""
    given = [*config.getoption("--cnx-reading"), *([reading] if reading else [])]
    return {text.partition("=")[0]: text for text in given}.values()


def _configuration(config: pytest.Config) -> Iterator[str]:
    """Yield the options that choose pytest's own configuration, as they were given."""
    for name, option in (("-c", "inifilename"), ("--rootdir", "rootdir")):
        value = config.getoption(option, None)
        yield from (name, str(value)) if value else ()
    for each in config.getoption("override_ini", None) or ():
        yield from ("-o", each)


def _target(item: pytest.Item) -> str:
    """Return the test's id without what xdist adds to it, relative to the folder in which pytest was started."""
    path, colons, rest = _without_group(item).partition("::")
    root, here = item.config.rootpath, item.config.invocation_params.dir
    if root != here:
        path = os.path.relpath(root / path, here)
    return f"{'./' if path.startswith('-') else ''}{path}{colons}{rest}"


def _without_group(item: pytest.Item) -> str:
    """Return the test's id. `--dist loadgroup` adds `@` and the names of the test's groups to it."""
    groups = {
        str(mark.args[0] if mark.args else mark.kwargs.get("name", "default"))
        for mark in item.iter_markers("xdist_group")
    }
    return item.nodeid.removesuffix(f"@{'_'.join(sorted(groups))}") if groups else item.nodeid
