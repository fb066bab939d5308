"""Some commands are tested in projects that have installed cnx-mock."""

from tests.pytest_plugin.conftest import run

__all__ = ["run"]
