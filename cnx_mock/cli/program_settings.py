"""The settings of a server that is started for one program, and warnings about its scenarios."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import click

from cnx_mock.cli.errors import error_text
from cnx_mock.cli.streams import warn_on_stderr
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services import operations
from cnx_mock.settings import Settings
from cnx_mock.world.chance import random_seed


def program_settings(options: Mapping[str, Any]) -> Settings:
    """Return the settings of a server that is started for one program, with its seed drawn if it is `random`.

    Warnings about its scenarios are printed, and from then on those of the package too. Raises SettingsError, and what
    scenarios raise.
    """
    warn_on_stderr()
    settings = with_drawn_seed(Settings(**options, port=0, proxy=True))
    print_warnings(settings)
    return settings


def with_drawn_seed(settings: Settings) -> Settings:
    """Return the settings with their seed drawn, and printed, if it is `random`."""
    if settings.seed != "random":
        return settings
    settings = replace(settings, seed=str(random_seed()))
    click.echo(f"cnx-mock: the seed is {settings.seed}", err=True)
    return settings


def print_warnings(settings: Settings) -> None:
    """Print on stderr what in the settings' scenarios can never happen. Raises what scenarios raise."""
    read_with_warnings(settings.scenario)


def read_with_warnings(names: Iterable[str]) -> list[Scenario]:
    """Return the scenarios with these names or paths; print on stderr what in them can never happen. Raises what
    scenarios raise."""
    scenarios: list[Scenario] = []
    for name in names:
        from cnx_mock.scenario.gallery import linted  # lazy: only a scenario needs it

        scenario, lint = linted(name, operations())
        scenarios.append(scenario)
        if lint is not None:
            click.echo(f"{error_text(lint)}\ncnx-mock: the lines above are warnings", err=True)
    return scenarios
