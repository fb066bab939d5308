"""An injected rule in Python: how often it fired, and its end."""

from types import TracebackType
from typing import Any
from urllib.parse import quote

from cnx_mock.errors import ControlError
from cnx_mock.python_api.control import SandboxControl
from cnx_mock.python_api.handle import Handle


class RuleHandle(Handle):
    """A rule that `Sandbox.inject` added; `cnx_mock.Rule` is this class.

    After it is removed, or after the end of its `ttl`, it still has its last counts. Used as a context manager, it is
    removed at the end of the block:

        with cnx.inject("instances.create", error="INTERNAL_ERROR", times=1) as rule:
            deploy()
        assert rule.fired == 1

    Its properties ask the server. They raise ServerNotFoundError if the server has stopped, and ControlError if a reset
    has removed the rule.
    """

    __slots__ = ("_control", "_last", "_path", "id")

    def __init__(self, control: SandboxControl, rule_id: str) -> None:
        self._control = control
        self._path = f"/rules/{quote(rule_id, safe='')}"
        self._last: dict[str, Any] | None = None
        self.id = rule_id
        """The id of the rule."""

    def __repr__(self) -> str:
        return f"<Rule {self.id}>"

    @property
    def fired(self) -> int:
        """The number of requests to which its fault was applied."""
        return int(self._state()["fired"])

    @property
    def matched(self) -> int:
        """The number of requests that it matched."""
        return int(self._state()["matched"])

    @property
    def ended(self) -> bool:
        """Whether its `ttl` is over, so that it does not fire any more."""
        return bool(self._state()["ended"])

    @property
    def why(self) -> str | None:
        """The reason why it has not fired; None if it has."""
        why: str | None = self._state()["why"]
        return why

    def remove(self) -> None:
        """Remove the rule from the sandbox. A second call does nothing."""
        if self._last is not None:
            return
        state = self._state()
        if not state["ended"]:
            self._control.call("DELETE", self._path)
        self._last = state

    def __enter__(self) -> "RuleHandle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.remove()
        except ControlError as error:
            if error.code != "NOT_FOUND":  # a reset has removed it already
                raise

    def _state(self) -> dict[str, Any]:
        if self._last is not None:
            return self._last
        state: dict[str, Any] = self._control.call("GET", self._path)
        return state
