"""Scenarios and fixtures in every form in which Python code gives them, turned into plain data."""

import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from cnx_mock.errors import FixtureError, Problem, ScenarioError, ScenarioWarning
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services import operations, worlds
from cnx_mock.text.shipped import is_path

ScenarioInput = str | PathLike[str] | Mapping[str, Any] | Scenario
"""A scenario as people give it: a name of the gallery, a path, plain data, or a `Scenario` that was read before."""

FixtureInput = str | PathLike[str] | Mapping[str, Any]
"""A fixture as people give it: a name, a path, or plain data."""

ResourcesInput = int | Sequence[Mapping[str, Any]] | Mapping[str, Any]
"""Expected resources: their number, the fields of each, or `{"at_least": …}` with one of both."""

_PACKAGE = str(Path(__file__).parents[1])
"""Warnings do not point at lines in this folder."""


def scenario_document(scenario: ScenarioInput) -> dict[str, Any]:
    """Return a scenario as plain data. It is never a name alone, which would mean one of the gallery.

    An empty file is a ScenarioWarning.

    Raises UnknownScenario if no scenario has that name, SourceError with every problem of a file, and ScenarioError if
    the value is none of the forms of a scenario.
    """
    if isinstance(scenario, Mapping):
        if scenario.keys() != {"name"}:
            return _self_contained(scenario)
        scenario = scenario["name"]
    if not isinstance(scenario, Scenario):
        from cnx_mock.scenario import gallery  # lazy: reading files takes modules that most starts do not need

        name = _name(scenario)
        if name is None:
            message = f"a scenario is a name, a path, a dict or a Scenario, not {_shown(scenario)}"
            raise ScenarioError([Problem((), message)])
        scenario = gallery.load(name, operations())
        if gallery.is_empty(scenario):  # the server, which gets plain data, cannot know
            warn([f"{name} {gallery.IS_EMPTY}"])
    document = _self_contained(scenario.document)
    return {"description": scenario.description, **document, "name": scenario.name}


def _self_contained(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario with its fixture in it, if it names a file: a server opens no file that a request names.

    Raises what `fixture_document` raises for a file.
    """
    world = document.get("world")
    name = world.get("fixture") if isinstance(world, Mapping) else None
    if not isinstance(world, Mapping) or not isinstance(name, str) or not is_path(name):
        return dict(document)
    return {**document, "world": {**world, "fixture": fixture_document(name)}}


def fixture_document(fixture: FixtureInput) -> dict[str, Any]:
    """Return a fixture as plain data.

    Raises UnknownFixture if no fixture has that name, SourceError with every problem of a file, and FixtureError if the
    value is none of the forms of a fixture.
    """
    if isinstance(fixture, Mapping):
        if fixture.keys() != {"name"}:
            return dict(fixture)
        fixture = fixture["name"]
    name = _name(fixture)
    if name is None:
        raise FixtureError([Problem((), f"a fixture is a name, a path or a dict, not {_shown(fixture)}")])
    return dict(worlds.load(name).written)


def warn(messages: Iterable[str]) -> None:
    """Warn of what can never happen, at the line of the user's code that asked for it."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    for each in messages:
        warnings.warn(each, ScenarioWarning, stacklevel=level)


def _name(given: object) -> str | None:
    """Return a name or a path as a text, None if it is neither."""
    path = fspath(given) if isinstance(given, str | PathLike) else None
    return path if isinstance(path, str) else None


def _shown(value: object) -> str:
    return f"{type(value).__name__}: {str(value)[:100]}"
