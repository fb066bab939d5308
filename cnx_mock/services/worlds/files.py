"""Finding fixtures: by name among those in the package, or by path."""

from pathlib import Path

from cnx_mock.errors import FixtureError, UnknownFixture
from cnx_mock.services.worlds.fixture import Fixture, read_fixture
from cnx_mock.text.other_kind import SCENARIO, of_other_kind
from cnx_mock.text.shipped import is_path, names, own_file, shipped
from cnx_mock.text.suggestions import did_you_mean, one_of


def shipped_fixtures() -> list[str]:
    """Return the names of the fixtures in the package, sorted."""
    return names("fixtures")


def find(name: str) -> Path:
    """Return the path of a fixture's file.

    `name` is the name of a fixture in the package, or a path: with a slash, or ending in .yaml, .yml or .json. Raises
    UnknownFixture for any other name. A path is not checked for existence.
    """
    if name in shipped_fixtures():
        found = shipped("fixtures", name)
        assert found is not None, "it was just listed"
        return found
    if is_path(name):
        return Path(name)
    known = shipped_fixtures()
    hint = own_file(name) or f"{did_you_mean(name, known)} (there are {one_of(known)})"
    raise UnknownFixture(f"no fixture is called {name!r}{hint}")


def load(name: str) -> Fixture:
    """Return the fixture with this name or at this path.

    Raises UnknownFixture if nothing has the name, SourceError with every problem if the file cannot be used.
    """
    from cnx_mock.text.source import read_file  # lazy: most servers begin with an empty world

    path = find(name)
    source = read_file(path)
    try:
        fixture = read_fixture(source.data, path.stem)
    except FixtureError as error:
        raise source.error(of_other_kind(error.problems, SCENARIO, "scenario")) from None
    if source.problems:
        raise source.error()
    return fixture
