"""The resources of a sandbox in Python: instances, snapshots, firewalls and load balancers.

They are read without calls to the API: no rule applies, no request is counted, nothing is charged, and reading is not a
poll. Each read asks the server, and raises ServerNotFoundError if the server has stopped.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, ClassVar, Generic, TypeVar, overload
from urllib.parse import quote

from cnx_mock.errors import ControlError, UnknownResource
from cnx_mock.python_api.control import SandboxControl
from cnx_mock.python_api.handle import Handle
from cnx_mock.python_api.resource_records import (
    SandboxFirewall,
    SandboxInstance,
    SandboxLoadBalancer,
    SandboxSnapshot,
    read_record,
)
from cnx_mock.text.suggestions import did_you_mean, one_of

T = TypeVar("T", SandboxInstance, SandboxSnapshot, SandboxFirewall, SandboxLoadBalancer)

_SHOWN = 10
"""How many resources a message lists."""


class _ResourcesHandle(Handle, Generic[T]):
    """The resources of one kind: `len(…)`, iteration (oldest first), `["web-1"]` by name, id or place, `in`."""

    __slots__ = ("_control",)

    _kind: ClassVar[type[Any]]
    _noun: ClassVar[str]
    _path: ClassVar[str]

    def __init__(self, control: SandboxControl) -> None:
        self._control = control

    def __len__(self) -> int:
        return len(self._listed())

    def __iter__(self) -> Iterator[T]:
        return iter(self._listed())

    def __contains__(self, wanted: object) -> bool:
        """Return whether there is a resource with this name or id, or this record."""
        return any(wanted in (each.id, each.name, each) for each in self._listed())

    @overload
    def __getitem__(self, wanted: str | int) -> T: ...

    @overload
    def __getitem__(self, wanted: slice) -> list[T]: ...

    def __getitem__(self, wanted: str | int | slice) -> T | list[T]:
        """Return a resource by its name, its id, or its place: 0 for the oldest, -1 for the newest; or those of a
        slice.

        Raises UnknownResource if there is none, or if several have that name.
        """
        listed = self._listed()
        if isinstance(wanted, slice):
            return listed[wanted]
        if isinstance(wanted, int):
            found = (
                listed[wanted : wanted + 1] if wanted >= 0 else listed[wanted:][:1] if -wanted <= len(listed) else []
            )
        else:
            found = [each for each in listed if wanted in (each.id, each.name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownResource(
                f"{len(found)} {self._noun}s are called {wanted!r}: choose one by its id: "
                f"{one_of(each.id for each in found)}"
            )
        known = [name for each in listed for name in (each.name, each.id) if name]
        hint = did_you_mean(wanted, known) or f" (there are {_shown(listed)})" if listed else " (there are none)"
        what = f"place {wanted}" if isinstance(wanted, int) else f"the name or id {wanted!r}"
        raise UnknownResource(f"no {self._noun} has {what}{hint}")

    def _shown(self) -> str:
        return f"{self._noun}s: {_shown(self._listed()) or 'none'}"

    def _listed(self) -> list[T]:
        found = self._control.call("GET", f"/{self._path}")["data"]
        return [self._record(each) for each in found]

    def _record(self, data: dict[str, Any]) -> T:
        record: T = read_record(self._kind, json.dumps(data).encode())
        return record


class InstancesHandle(_ResourcesHandle[SandboxInstance]):
    """The instances of a sandbox, without calls to the API: no rule applies, no request is counted, nothing is charged.

    `len(cnx.instances)` counts them. `for each in cnx.instances` iterates over them, the oldest first.
    `cnx.instances["web-1"]` selects one by name or id, `cnx.instances[0]` is the oldest. `"web-1" in cnx.instances`
    says whether it exists. Each item is a `SandboxInstance`. An index raises UnknownResource if there is no such
    instance, or if several have that name.
    """

    __slots__ = ()
    _kind = SandboxInstance
    _noun = "instance"
    _path = "instances"

    def add(self, **fields: Any) -> SandboxInstance:
        """Put an instance into the sandbox and return it. Every field has a default.

        Example: `cnx.instances.add(name="web-1", status="running")`.
        """
        return self._record(self._control.call("POST", "/instances", fields))

    def set_status(self, instance: str | SandboxInstance, status: str) -> SandboxInstance:
        """Set the status of an instance, `stopped` or `running`, and return the instance as it is then. It is named by
        its id, by its name as in `cnx.instances["web-1"]`, or by its record.

        Raises UnknownResource if there is no such instance, or if several have that name, and ControlError if it cannot
        have that status now.
        """
        named = instance.id if isinstance(instance, SandboxInstance) else instance
        try:
            return self._set_status(named, status)
        except ControlError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        return self._set_status(self[named].id, status)

    def _set_status(self, instance_id: str, status: str) -> SandboxInstance:
        path = f"/instances/{quote(str(instance_id), safe='')}"
        return self._record(self._control.call("PATCH", path, {"status": status}))


class SnapshotsHandle(_ResourcesHandle[SandboxSnapshot]):
    """The snapshots of a sandbox, without calls to the API. It works like `InstancesHandle`, but cannot be changed.
    Each item is a `SandboxSnapshot`."""

    __slots__ = ()
    _kind = SandboxSnapshot
    _noun = "snapshot"
    _path = "snapshots"


class FirewallsHandle(_ResourcesHandle[SandboxFirewall]):
    """The firewalls of a sandbox, without calls to the API. It works like `InstancesHandle`, but cannot be changed.
    Each item is a `SandboxFirewall`."""

    __slots__ = ()
    _kind = SandboxFirewall
    _noun = "firewall"
    _path = "firewalls"


class LoadBalancersHandle(_ResourcesHandle[SandboxLoadBalancer]):
    """The load balancers of a sandbox, without calls to the API. It works like `InstancesHandle`, but cannot be
    changed. Each item is a `SandboxLoadBalancer`."""

    __slots__ = ()
    _kind = SandboxLoadBalancer
    _noun = "load balancer"
    _path = "load-balancers"


def _shown(listed: list[T]) -> str:
    """Return resources for a message: `web-1 (inst_8f7e6d5c4b3a2f1e, running)`."""
    shown = ", ".join(f"{each.name or 'unnamed'} ({each.id}, {each.status})" for each in listed[:_SHOWN])
    return f"{shown}, and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else shown
