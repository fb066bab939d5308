"""What the plugin keeps with each test. Every pytest run imports this, so it imports nothing but pytest and the
standard library."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cnx_mock.python_api.sandbox import Sandbox
    from cnx_mock.python_api.sandbox_maker import SandboxMaker

SANDBOX: "pytest.StashKey[Sandbox]" = pytest.StashKey()
"""The sandbox of the test that runs."""

OUTSIDE: "pytest.StashKey[tuple[SandboxMaker, int]]" = pytest.StashKey()
"""The server of the test that runs, and the number of the last request before it that reached no sandbox."""

FAULT = pytest.StashKey[list[dict[str, Any]]]()
"""The rules that a sweep applies to this test. The test did not ask for them, so its own rules need not fire."""

READINGS = pytest.StashKey[dict[str, str]]()
"""The readings under which this test runs, beside those of the whole suite."""

FAILED = pytest.StashKey[bool]()
"""Whether the test that runs has failed."""

LAST: pytest.StashKey[pytest.Item] = pytest.StashKey()
"""In the stash of the config: the last test of the run, as soon as its fixtures end."""

JOURNALS: pytest.StashKey[list[str]] = pytest.StashKey()
"""The journals of the last test, read before the server stopped."""
