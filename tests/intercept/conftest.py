"""The egress guard is tested in projects that have installed cnx-mock, as the plugin is."""

from tests.pytest_plugin.conftest import run

__all__ = ["run"]
