"""Where fixtures are found: by name among those that come with the package, by path anywhere."""

from pathlib import Path

from cnx_mock.errors import FixtureError, Problem, UnknownFixture
from cnx_mock.services.worlds.fixture import Fixture, read_fixture
from cnx_mock.text.shipped import names, shipped
from cnx_mock.text.source import read_file
from cnx_mock.text.suggestions import did_you_mean, one_of

CATALOGUE = "catalogue"
"""What is for sale stands in the same folder, and is no world."""


def shipped_fixtures() -> list[str]:
    """The names of the fixtures that come with the package."""
    return [name for name in names("fixtures") if name != CATALOGUE]


def find(name: str) -> Path:
    """The file of a fixture: a shipped name, or a path (with a slash, or ending in .yaml or .json)."""
    if name in shipped_fixtures():
        found = shipped("fixtures", name)
        assert found is not None, "it was just listed"
        return found
    path = Path(name)
    if path.suffix in (".yaml", ".yml", ".json") or len(path.parts) > 1:
        return path
    known = shipped_fixtures()
    raise UnknownFixture(f"no fixture is called {name!r}{did_you_mean(name, known)} (there are {one_of(known)})")


def load(name: str) -> Fixture:
    """The fixture with this name or at this path. Raises UnknownFixture, or SourceError with every problem."""
    path = find(name)
    source = read_file(path)
    try:
        fixture = read_fixture(source.data, path.stem)
    except FixtureError as error:
        raise source.error(
            Problem(each.path, each.message + source.trap(each.path), each.at_key) for each in error.problems
        ) from None
    if source.problems:
        raise source.error()
    return fixture
