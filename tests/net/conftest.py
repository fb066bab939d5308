"""The tests below HTTP send bytes of their own too."""

from tests.http.conftest import example, own_server, wire

__all__ = ["example", "own_server", "wire"]
