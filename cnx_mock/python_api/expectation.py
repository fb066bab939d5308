"""What a test expects of a sandbox at the end, in Python."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from cnx_mock.errors import ScenarioRefusedError
from cnx_mock.python_api.control import SandboxControl
from cnx_mock.python_api.handle import Handle


class Expectation(Handle):
    """What `Sandbox.expect` expects. In pytest it is checked at the end of the test.

    As a context manager it is checked at the end of the block, and then no more:

        with cnx.expect(instances=1):
            deploy(cnx.url, cnx.api_key)
    """

    __slots__ = ("_control", "_document", "_over")

    def __init__(self, control: SandboxControl, document: Mapping[str, Any]) -> None:
        self._control = control
        self._document = dict(document)
        self._over = False

    def __repr__(self) -> str:
        return f"<Expectation {self._document}>"

    @property
    def unmet(self) -> list[str]:
        """What is not so at this moment, one line for each; empty if everything is as expected, and after a `with`
        block."""
        if self._over:
            return []
        found: list[str] = self._control.call("POST", "/expect", self._document, ScenarioRefusedError)["unmet"]
        return found

    def assert_met(self) -> None:
        """Raise AssertionError, with one line for each difference, if something is not as expected at this moment."""
        unmet = self.unmet
        if unmet:
            raise AssertionError("\n".join(unmet))

    def __enter__(self) -> "Expectation":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.assert_met()
        finally:
            self._over = True
