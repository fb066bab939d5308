"""An error that the server itself answers, below the API: what the proxy refuses."""

from collections.abc import Mapping
from typing import Protocol

from starlette.types import ASGIApp

from cnx_mock.dataclass import dataclass


@dataclass(frozen=True)
class ServerError:
    """An error in the form of the API's; `phrase` is the reason phrase of the status line."""

    status: int
    phrase: str
    code: str
    message: str
    details: Mapping[str, str]


class ErrorPages(Protocol):
    """Renders these errors; `http` hands it in."""

    def whole(self, problem: ServerError) -> bytes:
        """Return a whole answer, status line included; the connection is closed after it."""

    def problem(self, problem: ServerError) -> ASGIApp:
        """Return an ASGI application that answers with this error."""
