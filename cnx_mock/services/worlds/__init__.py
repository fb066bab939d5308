"""Fixtures: worlds as files. Reading one gives a `Fixture`, which builds as many sandboxes as there are keys."""

from cnx_mock.services.worlds.export import exported
from cnx_mock.services.worlds.files import UnknownFixture, find, load, shipped_fixtures
from cnx_mock.services.worlds.fixture import Fixture, FixtureError, read_fixture

__all__ = ["Fixture", "FixtureError", "UnknownFixture", "exported", "find", "load", "read_fixture", "shipped_fixtures"]
