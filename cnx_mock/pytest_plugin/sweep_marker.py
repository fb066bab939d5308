"""The marker `cnx_sweep`: what a test may raise and leave behind in a sweep. Every pytest run imports this, so it
imports nothing but pytest and the standard library."""

from typing import Any

import pytest

_KEYS = ("allow", "allow_partial")


def sweep_marker(node: pytest.Item) -> dict[str, Any]:
    """Return what the nearest marker of a test says, `allow` as a tuple; empty without a marker.

    Fails the test if the marker cannot be used: also without a sweep, where nobody would notice.
    """
    marker = node.get_closest_marker("cnx_sweep")
    if marker is None:
        return {}
    if marker.args:
        _fail("takes only keywords: cnx_sweep(allow=(ValueError,))")
    given = dict(marker.kwargs)
    for name in given.keys() - set(_KEYS):
        from cnx_mock.text.suggestions import did_you_mean  # lazy: only a mistake needs it

        _fail(f"takes no {name!r}{did_you_mean(name, _KEYS)}")
    if "allow" in given:
        allow = given["allow"] if isinstance(given["allow"], tuple | list) else [given["allow"]]
        if not all(isinstance(each, type) and issubclass(each, BaseException) for each in allow):
            _fail(f"takes exceptions as allow, such as allow=(ValueError,), not {given['allow']!r}")
        given["allow"] = tuple(allow)
    return given


def _fail(why: str) -> None:
    pytest.fail(f"cnx_sweep {why}", pytrace=False)
