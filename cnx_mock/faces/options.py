"""Settings as options of a command."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

import click

from cnx_mock.settings import Settings, flag, variable


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
