"""Where scenarios are found: by name in the gallery, by path anywhere; and how a file is read, with every problem at
its place."""

from collections.abc import Collection
from pathlib import Path

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Problem, ScenarioError, SourceError, UnknownScenario
from cnx_mock.scenario.lint import lint
from cnx_mock.scenario.scenario import Scenario, read_scenario
from cnx_mock.text.shipped import names, shipped
from cnx_mock.text.source import Source, read_file
from cnx_mock.text.suggestions import did_you_mean


def gallery() -> list[str]:
    """The names of the scenarios that come with the package."""
    return names("scenarios")


def find(name: str) -> Path:
    """The file of a scenario: a gallery name, or a path (with a slash, or ending in .yaml). Raises UnknownScenario."""
    known = shipped("scenarios", name)
    if known is not None:
        return known
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return path
    hint = did_you_mean(name, gallery())
    raise UnknownScenario(f"no scenario is called {name!r}{hint} (the gallery has {', '.join(gallery())})")


def load(name: str, operations: Collection[Operation]) -> Scenario:
    """The scenario with this name or at this path. Raises UnknownScenario, or SourceError with every problem."""
    return linted(name, operations)[0]


def linted(name: str, operations: Collection[Operation]) -> tuple[Scenario, SourceError | None]:
    """The scenario, and what in it can never happen, at its place. Raises what `load` raises."""
    path = find(name)
    source = read_file(path)
    scenario = parse(source, operations, path.stem)
    found = lint(scenario, operations)
    return scenario, source.error(_explained(source, each) for each in found) if found else None


def parse(source: Source, operations: Collection[Operation], name: str) -> Scenario:
    """A scenario from a file's text. Raises SourceError with every problem, each as file:line:col."""
    try:
        scenario = read_scenario(source.data, operations, name)
    except ScenarioError as error:
        raise source.error(_explained(source, problem) for problem in error.problems) from None
    if source.problems:
        raise source.error()
    return scenario


def _explained(source: Source, problem: Problem) -> Problem:
    """The problem with the key's name where it helps, and a word on YAML's traps."""
    trap = "" if problem.at_key else source.trap(problem.path)
    return Problem(problem.path, problem.named + trap, problem.at_key)
