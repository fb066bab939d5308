"""Settings as options of a command, and command lines made from settings."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import click

from cnx_mock.cli import completions
from cnx_mock.settings import Settings, flag, variable

PROGRAM = ("scenario", "fixture", "seed", "speed", "reading", "surface", "allow_host", "ca_dir")
"""The settings of a server that is started for one program."""

RUN = (*PROGRAM, "provisioning")
"""The same for one run of it; a sweep has a time for provisioning of its own."""


def settings_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds a flag and a variable for each of these settings, in their order of declaration."""

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        for each in reversed(fields(Settings)):
            if each.name in names:
                command = _option(each)(command)
        return command

    return added


def workdir_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option of a command that runs a program in a copy of a folder, as `folder`."""
    add = click.option(
        "--workdir",
        "folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Copy this folder, and run CMD in the copy; by default CMD runs in the current folder.",
    )
    return add(command)


def _option(setting: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    many = setting.metadata["many"]
    switch = isinstance(setting.default, bool)
    return click.option(
        flag(setting.name),
        setting.name,
        default=_default(setting),
        multiple=many,
        is_flag=switch,
        metavar=setting.metadata["metavar"] or None,
        type=str if many else type(setting.default),
        envvar=variable(setting.name),
        show_default=not switch and setting.default not in ((), ""),
        show_envvar=True,
        shell_complete=completions.SETTINGS.get(setting.name),
        help=setting.metadata["help"],
    )


def _default(setting: Any) -> Any:
    """Return the default as click takes it: of an option that may be repeated, a list."""
    if setting.default is MISSING or setting.default == ():
        return None
    return [setting.default] if setting.metadata["many"] else setting.default


def command_line(
    name: str,
    settings: Settings,
    command: Sequence[str],
    *,
    scenarios: Sequence[str] | None = None,
    key: str | None = None,
    expect_clean: bool = False,
) -> str:
    """Return the line that calls a command, `run` or `shrink`, with a program and these settings. `scenarios` take the
    place of the settings' own."""
    given = [word for each in settings.scenario if scenarios is None for word in ("--scenario", each)]
    given += [word for each in scenarios or () for word in ("--scenario", each)]
    rest = words(settings, *(each for each in RUN if each != "scenario"))
    keyed = ["--key", key] if key else []
    expecting = ["--expect-clean"] if expect_clean else []
    return shlex.join(["cnx-mock", name, *given, *rest, *keyed, *expecting, "--", *command])


def words(settings: Settings, *names: str) -> list[str]:
    """Return these settings as words of a command line, without those that have their default."""
    found: list[str] = []
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if each.name not in names or value == each.default:
            continue
        values = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
        found += [word for one in values for word in (flag(each.name), one)]
    return found
