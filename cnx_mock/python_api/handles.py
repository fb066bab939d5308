"""What hangs on a sandbox in Python: its clock, its account, its instances."""

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnx_mock.python_api.sandbox import Sandbox


class ClockHandle:
    """A sandbox's clock."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    @property
    def now(self) -> dt.datetime:
        """The sandbox's time, UTC."""
        return dt.datetime.fromisoformat(self._sandbox.call("GET", "/clock")["now"])

    @property
    def speed(self) -> float:
        """Sandbox seconds per real second."""
        return float(self._sandbox.call("GET", "/clock")["speed"])

    @speed.setter
    def speed(self, speed: float) -> None:
        self._sandbox.call("PATCH", "/clock", {"speed": speed})

    def advance(self, by: str) -> None:
        """Move on by a duration such as `45s`: when this returns, everything due has happened."""
        self._sandbox.call("POST", "/clock/advance", {"by": by})

    def freeze(self) -> None:
        """Stand still but for `advance`."""
        self._sandbox.call("PATCH", "/clock", {"frozen": True})

    def unfreeze(self) -> None:
        """Go on."""
        self._sandbox.call("PATCH", "/clock", {"frozen": False})


class AccountHandle:
    """A sandbox's account."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    @property
    def plan(self) -> str:
        """starter, professional or enterprise."""
        return str(self._state()["plan"])

    @plan.setter
    def plan(self, plan: str) -> None:
        self._change(plan=plan)

    @property
    def balance(self) -> str:
        """Such as "$100.00"."""
        return str(self._state()["balance"])

    @balance.setter
    def balance(self, balance: str) -> None:
        self._change(balance=balance)

    @property
    def rate_limit(self) -> str:
        """Such as "300/min"."""
        return str(self._state()["rate_limit"])

    @rate_limit.setter
    def rate_limit(self, rate_limit: str) -> None:
        self._change(rate_limit=rate_limit)

    @property
    def scopes(self) -> list[str]:
        """What the key may do."""
        return list(self._state()["scopes"])

    @scopes.setter
    def scopes(self, scopes: list[str]) -> None:
        self._change(scopes=scopes)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._sandbox.call("GET", "/account")
        return state

    def _change(self, **changes: Any) -> None:
        self._sandbox.call("PATCH", "/account", changes)


class InstancesHandle:
    """A sandbox's instances, from outside: no rule is asked, nothing is counted or charged at the door."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def add(self, **fields: Any) -> dict[str, Any]:
        """An instance that is simply there: `add(name="web-1", status="running")`; everything has a default."""
        added: dict[str, Any] = self._sandbox.call("POST", "/instances", fields)
        return added

    def set_status(self, instance_id: str, status: str) -> dict[str, Any]:
        """Stop it or start it."""
        changed: dict[str, Any] = self._sandbox.call("PATCH", f"/instances/{instance_id}", {"status": status})
        return changed
