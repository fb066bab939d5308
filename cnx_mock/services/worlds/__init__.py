"""Fixtures: worlds as files. Reading a file gives a `Fixture`, which can fill any number of sandboxes."""

from cnx_mock.errors import FixtureError, UnknownFixture
from cnx_mock.services.worlds.export import exported, exported_json, exported_resource
from cnx_mock.services.worlds.files import find, load, shipped_fixtures
from cnx_mock.services.worlds.fixture import Fixture, read_fixture
from cnx_mock.services.worlds.generate import prepare_names

__all__ = [
    "Fixture",
    "FixtureError",
    "UnknownFixture",
    "exported",
    "exported_json",
    "exported_resource",
    "find",
    "load",
    "prepare_names",
    "read_fixture",
    "shipped_fixtures",
]
