"""The parts of a sandbox in Python: its clock, its account, its instances.

Every property and method here asks the server. They raise InputRefusedError for a value that the server does not take,
and ServerNotFoundError if the server has stopped.
"""

import datetime as dt
from typing import Any
from urllib.parse import quote

from cnx_mock.python_api.control import SandboxControl


class ClockHandle:
    """The clock of a sandbox. A test that freezes Python's clocks does not freeze it."""

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

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

    def advance(self, by: str) -> None:
        """Move the clock forward by a duration such as `45s`. When this returns, everything due has happened."""
        self._control.call("POST", "/clock/advance", {"by": by})

    def freeze(self) -> None:
        """Stop the clock: only `advance` moves it."""
        self._control.call("PATCH", "/clock", {"frozen": True})

    def unfreeze(self) -> None:
        """Let the clock run again."""
        self._control.call("PATCH", "/clock", {"frozen": False})


class AccountHandle:
    """The account of a sandbox. Every property can be set."""

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

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


class InstancesHandle:
    """The instances of a sandbox, from outside the API: no rule applies, no rate limit counts, nothing is charged."""

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

    def add(self, **fields: Any) -> dict[str, Any]:
        """Put an instance into the sandbox and return it. Every field has a default.

        Example: `cnx.instances.add(name="web-1", status="running")`.
        """
        added: dict[str, Any] = self._control.call("POST", "/instances", fields)
        return added

    def set_status(self, instance_id: str, status: str) -> dict[str, Any]:
        """Set the status of an instance, `stopped` or `running`, and return the instance.

        Raises ControlError if there is no such instance, or if it cannot have that status now.
        """
        changed: dict[str, Any] = self._control.call(
            "PATCH", f"/instances/{quote(str(instance_id), safe='')}", {"status": status}
        )
        return changed
