"""Some commands are tested in projects that have installed cnx-mock, and more than one file starts servers."""

from tests.cli.test_serve import start
from tests.pytest_plugin.conftest import run

__all__ = ["run", "start"]
