"""Reading the API key of a request.

The reference: "Include your key in the Authorization header as a Bearer token."
"""

import re

from cnx_mock.api.errors import LiveKeyRejected, Unauthorized
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.world.keys import LIVE_PREFIX, TEST_PREFIX

_BEARER = re.compile(rb"bearer +(cnx_(live|test)_([0-9a-f]{32}))", re.IGNORECASE)
_LIVE = re.compile(LIVE_PREFIX.encode(), re.IGNORECASE)


def authorization(headers: RawHeaders) -> bytes | None:
    """Return the one Authorization header, None without any. Raises Unauthorized if there are two."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) > 1:
        raise Unauthorized(reason="malformed_key")
    return given[0] if given else None


def parse(value: bytes | None) -> str | None:
    """Return the digits of a test key, None for a live key, of which nothing is kept. Raises Unauthorized if there is
    no key, or a malformed one."""
    if value is None:
        raise Unauthorized(reason="missing_key")
    match = _BEARER.fullmatch(value.strip())
    if match is None or match[1] != match[1].lower():
        raise Unauthorized(reason="malformed_key")
    return None if match[2] == b"live" else match[3].decode()


def digits(value: bytes | None) -> str:
    """Return the digits of a test key. Raises Unauthorized, or LiveKeyRejected for a live key."""
    found = parse(value)
    if found is None:
        raise live_key_rejected()
    return found


def live_key_rejected() -> LiveKeyRejected:
    """Return the refusal of a live key."""
    return LiveKeyRejected(key_prefix=LIVE_PREFIX, expected_prefix=TEST_PREFIX)


def described(value: bytes) -> str:
    """Return an Authorization header as a journal may show it: the test key's end, or what is wrong with it."""
    if _LIVE.search(value):
        return "live"
    match = _BEARER.fullmatch(value.strip())
    return f"Bearer {TEST_PREFIX}…{match[3].decode()[-4:]}" if match else "malformed"
