"""What the headers of a request say of the client that sent it. Requests with the same headers can share it."""

from typing import Final

from cnx_mock.api.errors import Unauthorized
from cnx_mock.http import auth
from cnx_mock.http.messages import safe_headers
from cnx_mock.scenario.request import RawHeaders, RequestHeaders


class ClientHead:
    """Headers, and the key in them. A live key is not kept."""

    __slots__ = ("digits", "has_good_host", "headers", "sends_json", "wrong_key")

    def __init__(self, headers: RawHeaders, *, is_safe: bool = False, has_good_host: bool = True) -> None:
        """`is_safe` says that there is no live key in the headers."""
        self.headers: Final = RequestHeaders(headers if is_safe else safe_headers(headers))
        """Without any live key."""
        self.sends_json: Final = (
            self.headers.first(b"content-type") in (None, "application/json")
            and self.headers.first(b"content-encoding") is None
        )
        """Whether a body is said to be plain JSON, or nothing is said of it."""
        self.has_good_host: Final = has_good_host
        self.digits: str | None = None
        """The digits of the test key; None for a live key, and for none."""
        self.wrong_key: str | None = None
        """Why there is no valid key; None if there is one."""
        try:
            self.digits = auth.parse(auth.authorization(headers))
        except Unauthorized as refusal:
            self.wrong_key = refusal.details["reason"]
