"""The marker `cnx_scenario`: which scenarios a test runs under. Every pytest run imports this, so it imports nothing
but pytest and the standard library."""

from pathlib import Path
from typing import Any

import pytest

from cnx_mock.pytest_plugin.options import chosen_scenario
from cnx_mock.pytest_plugin.stash import SANDBOX

_ONCE = (
    "cnx_scenario names {} scenarios, but this test can run only once: it is a method of a TestCase, or gets cnx by "
    "getfixturevalue(). Give one scenario (a list combines several), or write a function that has cnx as an argument"
)
_NO_SANDBOX = (
    "cnx_scenario has no effect: this test does not use cnx. Ask for cnx as an argument, or use "
    'pytest.mark.usefixtures("cnx"); the marker of a test does not reach cnx_module, cnx_session and cnx_server'
)
_TWICE = "cnx_scenario is given twice at the same place: write one marker, with a list to combine scenarios"


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Run a test once under each of its scenarios."""
    marker = metafunc.definition.get_closest_marker("cnx_scenario")
    if marker is not None and len(marker.args) > 1 and "cnx_story" in metafunc.fixturenames:
        metafunc.parametrize("cnx_story", marker.args, ids=[_title(each) for each in marker.args], indirect=True)


def story_of(node: pytest.Item | pytest.Collector) -> Any:
    """Return the scenario that the nearest marker of a test, a module or a class names, or the whole suite's; None for
    none. Fails the test if the marker cannot be used."""
    found = [(where, mark) for where, mark in node.iter_markers_with_node("cnx_scenario")]
    if not found:
        return chosen_scenario(node.config) or None
    nearest, marker = found[0]
    if sum(where is nearest for where, _ in found) > 1:
        pytest.fail(_TWICE, pytrace=False)
    if marker.kwargs:
        pytest.fail("cnx_scenario takes no keywords: write cnx_scenario('flaky-network')", pytrace=False)
    if len(marker.args) > 1:
        pytest.fail(_ONCE.format(len(marker.args)), pytrace=False)
    return marker.args[0] if marker.args else None


def check_used(item: pytest.Item) -> None:
    """Fail a test whose marker has no effect, because the test has no sandbox."""
    if SANDBOX not in item.stash and any(each.name == "cnx_scenario" for each in item.own_markers):
        pytest.fail(_NO_SANDBOX, pytrace=False)


def in_own_folders(scenario: Any, config: pytest.Config) -> Any:
    """Return the file of a scenario that is in one of the suite's own folders; anything else as it is. Fails the test
    for a folder that does not exist."""
    if isinstance(scenario, str) and Path(scenario).name == scenario:
        for folder in config.getini("cnx_scenario_dirs"):
            if not Path(folder).is_dir():
                pytest.fail(f"cnx_scenario_dirs: {folder} is not a folder", pytrace=False)
            path = Path(folder) / f"{scenario.removesuffix('.yaml')}.yaml"
            if path.is_file():
                return path
    return scenario


def _title(scenario: object) -> str:
    """Return what a scenario is called in the id of a test."""
    if isinstance(scenario, list):
        return "+".join(map(_title, scenario)) or "none"
    if isinstance(scenario, dict):
        return str(scenario.get("name", "inline"))
    return Path(str(scenario)).stem
