"""The parts of a sandbox in Python: its clock and its account.

Every property and method here asks the server. They raise InputRefusedError for a value that the server does not take,
and ServerNotFoundError if the server has stopped.
"""

import datetime as dt
from typing import Any

from cnx_mock.python_api.control import SandboxControl
from cnx_mock.python_api.handle import Handle


class ClockHandle(Handle):
    """The clock of a sandbox. A test that freezes Python's clocks does not freeze it."""

    __slots__ = ("_control",)

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

    def _shown(self) -> str:
        clock = self._control.call("GET", "/clock")
        return f"clock: {clock['now']}, {'frozen' if clock['frozen'] else 'speed {:g}'.format(clock['speed'])}"

    @property
    def now(self) -> dt.datetime:
        """The sandbox's time, in UTC."""
        return dt.datetime.fromisoformat(self._control.call("GET", "/clock")["now"])

    @property
    def speed(self) -> float:
        """How many seconds of the sandbox pass in a real second. Can be set."""
        return float(self._control.call("GET", "/clock")["speed"])

    @speed.setter
    def speed(self, speed: float) -> None:
        self._control.call("PATCH", "/clock", {"speed": speed})

    def advance(self, by: str | dt.timedelta) -> None:
        """Move the clock forward by a duration such as `45s`, or a `timedelta`. When this returns, everything that was
        due in this time has happened."""
        self._control.call("POST", "/clock/advance", {"by": by})

    def freeze(self) -> None:
        """Stop the clock: only `advance` moves it."""
        self._control.call("PATCH", "/clock", {"frozen": True})

    def unfreeze(self) -> None:
        """Let the clock run again."""
        self._control.call("PATCH", "/clock", {"frozen": False})


class AccountHandle(Handle):
    """The account of a sandbox. Every property can be set."""

    __slots__ = ("_control",)

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

    def _shown(self) -> str:
        return "account: {plan}, {balance}, {rate_limit}".format(**self._state())

    @property
    def plan(self) -> str:
        """The plan: starter, professional or enterprise."""
        return str(self._state()["plan"])

    @plan.setter
    def plan(self, plan: str) -> None:
        self._change(plan=plan)

    @property
    def balance(self) -> str:
        """The balance in US dollars, such as "$100.00"."""
        return str(self._state()["balance"])

    @balance.setter
    def balance(self, balance: str) -> None:
        self._change(balance=balance)

    @property
    def rate_limit(self) -> str:
        """The rate limit of the API, such as "300/min"."""
        return str(self._state()["rate_limit"])

    @rate_limit.setter
    def rate_limit(self, rate_limit: str) -> None:
        self._change(rate_limit=rate_limit)

    @property
    def scopes(self) -> list[str]:
        """The scopes of the sandbox's key, such as ["instances:read"]."""
        return list(self._state()["scopes"])

    @scopes.setter
    def scopes(self, scopes: list[str]) -> None:
        self._change(scopes=scopes)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._control.call("GET", "/account")
        return state

    def _change(self, **changes: Any) -> None:
        self._control.call("PATCH", "/account", changes)
