"""Reading the API key of a request.

The reference: "Include your key in the Authorization header as a Bearer token."
"""

from cnx_mock.api.errors import LiveKeyRejected, Unauthorized
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.text.live_keys import LIVE_PREFIX, has_live_key
from cnx_mock.world.keys import TEST_PREFIX, bearer_key, short_test_key


def authorization(headers: RawHeaders) -> bytes | None:
    """Return the one Authorization header, None without any. Raises Unauthorized if there are two."""
    given = [value for name, value in headers if name == b"authorization"]
    if len(given) > 1:
        raise Unauthorized(reason="malformed_key")
    return given[0] if given else None


def parse(value: bytes | None) -> str | None:
    """Return the digits of a test key, None for a live key. Nothing of a live key is kept. Raises Unauthorized if there
    is no key, or a malformed one."""
    if value is None:
        raise Unauthorized(reason="missing_key")
    prefix, found = bearer_key(value) or ("", "")
    if not prefix or prefix + found != (prefix + found).lower():
        raise Unauthorized(reason="malformed_key")
    return None if prefix == LIVE_PREFIX else found


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
    if has_live_key(value.decode("latin-1")):
        return "live"
    key = bearer_key(value)
    return f"Bearer {short_test_key(key[1])}" if key else "malformed"
