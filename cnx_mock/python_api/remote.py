"""A server that runs in another process of this machine."""

from cnx_mock.errors import ServerNotFoundError
from cnx_mock.python_api.control import Control, base_url
from cnx_mock.python_api.sandbox_maker import SandboxMaker


class RemoteServer(SandboxMaker):
    """A cnx-mock that runs in another process of this machine, such as `cnx-mock serve`."""

    __slots__ = ("_control",)

    def __init__(self, url: str) -> None:
        """Connect to it.

        Raises InvalidInputError if the text is not the URL of a server, and ServerNotFoundError if no cnx-mock answers
        there.
        """
        self._control = Control(base_url(url))
        health = self._control.call("GET", "/_mock/health")
        if not isinstance(health, dict) or health.get("status") != "ok":
            raise ServerNotFoundError(f"the server at {url} is not a cnx-mock")

    def _running(self) -> Control:
        return self._control

    def close(self) -> None:
        """Close the connection to the server."""
        self._control.close()
