"""Whose request it is: the key, judged before anything else is.

The reference: "Include your key in the Authorization header as a Bearer token."
"""

import re

from cnx_mock.api.errors import LiveKeyRejected, Unauthorized
from cnx_mock.scenario.exchange import RawHeaders

_BEARER = re.compile(rb"bearer +(cnx_(live|test)_([0-9a-f]{32}))", re.IGNORECASE)
_LIVE = re.compile(rb"cnx_live_", re.IGNORECASE)
TEST_KEY = re.compile(r"cnx_test_([0-9a-f]{32})")


def authorization(headers: RawHeaders) -> bytes | None:
    """The one Authorization header, None without any. Raises Unauthorized when there are two."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) > 1:
        raise Unauthorized(reason="malformed_key")
    return given[0] if given else None


def digits(value: bytes | None) -> str:
    """The digits of a test key. Raises Unauthorized for none or a malformed one, LiveKeyRejected for a live key."""
    if value is None:
        raise Unauthorized(reason="missing_key")
    match = _BEARER.fullmatch(value.strip())
    if match is None or match[1] != match[1].lower():
        raise Unauthorized(reason="malformed_key")
    if match[2] == b"live":
        raise LiveKeyRejected(key_prefix="cnx_live_", expected_prefix="cnx_test_")
    return match[3].decode()


def described(value: bytes) -> str:
    """An Authorization header as a journal may show it: what was wrong, or the test key's end."""
    if _LIVE.search(value):
        return "live"
    match = _BEARER.fullmatch(value.strip())
    return f"Bearer cnx_test_…{match[3].decode()[-4:]}" if match else "malformed"
