"""Settings as options of a command."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

import click

from cnx_mock.settings import Settings, flag, variable
from cnx_mock.world.keys import is_test_key

PROGRAM = ("scenario", "fixture", "seed", "speed", "reading", "surface", "allow_host", "ca_dir")
"""The settings of a server that is a program's own."""


def settings_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A flag and a variable for each of these settings, in their order of declaration."""

    def added(command: Callable[..., Any]) -> Callable[..., Any]:
        for each in reversed(fields(Settings)):
            if each.name in names:
                command = _option(each)(command)
        return command

    return added


def _option(setting: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    many = isinstance(setting.default, tuple)
    switch = isinstance(setting.default, bool)
    return click.option(
        flag(setting.name),
        setting.name,
        default=None if many or setting.default is MISSING else setting.default,
        multiple=many,
        is_flag=switch,
        metavar=setting.metadata["metavar"] or None,
        type=str if many else type(setting.default),
        envvar=variable(setting.name),
        show_default=not switch and setting.default not in ((), ""),
        show_envvar=True,
        help=setting.metadata["help"],
    )


def program_settings(options: Mapping[str, Any]) -> Settings:
    """The settings of a server that is a program's own, its seed drawn where that is asked for. What cannot happen in
    its scenarios is said. Raises SettingsError, and what scenarios raise."""
    from cnx_mock.cli.serve import warn
    from cnx_mock.world.chance import random_seed

    settings = Settings(**options, port=0, proxy=True)
    if settings.seed == "random":
        settings = replace(settings, seed=str(random_seed()))
        click.echo(f"cnx-mock: the seed is {settings.seed}", err=True)
    warn(settings)
    return settings


def words(settings: Settings, *names: str) -> list[str]:
    """These settings as a command line has them, but for those that are the usual ones."""
    found: list[str] = []
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if each.name not in names or value == each.default:
            continue
        values = [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
        found += [word for one in values for word in (flag(each.name), one)]
    return found


def duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """An option's value as a time, in seconds."""
    from cnx_mock.text.units import parse_duration
    from cnx_mock.world.clock import SECOND

    if value is None:
        return None
    try:
        seconds = parse_duration(value) / SECOND
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if seconds <= 0:
        raise click.BadParameter("must be longer than 0s")
    return seconds


def test_key(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """An option's value, if it is a test key; a wrong one is not repeated, since it might be a live key."""
    if value is not None and not is_test_key(value):
        raise click.BadParameter("must be cnx_test_ and 32 hex digits; a live key never leads here")
    return value
