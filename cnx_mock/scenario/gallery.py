"""Finding scenarios, by name in the gallery or by path, and reading their files, with every problem at its place."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Problem, ScenarioError, SourceError, UnknownScenario
from cnx_mock.scenario.lint import lint
from cnx_mock.scenario.own_text import scenario_data
from cnx_mock.scenario.scenario import Scenario, read_scenario
from cnx_mock.text.other_kind import FIXTURE, of_other_kind
from cnx_mock.text.shipped import is_path, names, own_file, shipped
from cnx_mock.text.source import Source, read_file
from cnx_mock.text.suggestions import did_you_mean

IS_EMPTY = "is empty: this scenario does nothing"


def gallery() -> list[str]:
    """Return the names of the scenarios that come with the package, sorted."""
    return names("scenarios")


def find(name: str) -> Path:
    """Return the path of a scenario's file.

    `name` is a name of the gallery, or a path: with a slash, or ending in .yaml, .yml or .json. Raises UnknownScenario
    for any other name. A path is not checked for existence.
    """
    known = shipped("scenarios", name)
    if known is not None:
        return known
    if is_path(name):
        return Path(name)
    hint = own_file(name) or f"{did_you_mean(name, gallery())} (the gallery has {', '.join(gallery())})"
    raise UnknownScenario(f"no scenario is called {name!r}{hint}")


def load(name: str, operations: Collection[Operation]) -> Scenario:
    """Return the scenario with this name or at this path.

    Raises UnknownScenario if nothing has the name, SourceError with every problem if the file cannot be used.
    """
    return linted(name, operations)[0]


def linted(name: str, operations: Collection[Operation]) -> tuple[Scenario, SourceError | None]:
    """Return the scenario, and an error with everything in it that can never happen, or None.

    Raises what `load` raises.
    """
    path = find(name)
    source = read_file(path)
    scenario = parse(source, operations, path.stem)
    idle = lint(scenario, operations)
    if is_empty(scenario):
        idle.append(Problem((), IS_EMPTY))
    return scenario, source.error(idle) if idle else None


def is_empty(scenario: Scenario) -> bool:
    """Return whether a scenario is from a file without any value, or with nothing but comments."""
    return scenario.source is not None and scenario.source.data is None


def parse(source: Source, operations: Collection[Operation], name: str) -> Scenario:
    """Return the scenario that a file's text describes; `name` is its name if it has none of its own.

    Raises SourceError with every problem, each as file:line:col.
    """
    try:
        scenario = replace(read_scenario(scenario_data(source), operations, name), source=source)
    except ScenarioError as error:
        raise source.error(of_other_kind(error.problems, FIXTURE, "fixture")) from None
    if source.problems:
        raise source.error()
    return scenario
