"""The resources of a sandbox as Python objects that can be read and compared. They are the answers of the API."""

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from cnx_mock.api.declarations import made
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import UnknownAttribute, UnknownResource
from cnx_mock.services.compute.instances import InstanceDetail
from cnx_mock.services.compute.snapshots import Snapshot
from cnx_mock.services.network.firewalls import Firewall
from cnx_mock.services.network.load_balancers import LoadBalancer
from cnx_mock.text.suggestions import did_you_mean

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class _Readable:
    """What every record can do: `record.name`, `record["name"]`, `record == other`. It cannot be changed."""

    __slots__ = ()

    def __getitem__(self, field: str) -> Any:
        """Return a field by its name. Raises UnknownResource if there is no such field."""
        known = _fields(type(self))
        if field not in known:
            raise UnknownResource(f"{type(self).__name__} has no {field!r}{did_you_mean(field, known)}")
        return getattr(self, field)

    def __getattr__(self, name: str) -> Any:
        """Python asks this for an attribute that was not found. Raises UnknownAttribute."""
        hint = "" if name.startswith("_") else did_you_mean(name, _fields(type(self)))
        raise UnknownAttribute(f"{type(self).__name__} has no {name!r}{hint}")

    def __setattr__(self, name: str, value: object) -> None:
        raise UnknownAttribute(f"{type(self).__name__}.{name} cannot be set: it is a record of what was there")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _data(self) == _data(other)

    def __hash__(self) -> int:
        return hash(_data(self)["id"])


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class SandboxInstance(_Readable, InstanceDetail):
    """An instance of a sandbox, as the API shows it: `cnx.instances["web-1"].status`, or `["status"]`."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class SandboxSnapshot(_Readable, Snapshot):
    """A snapshot of a sandbox, as the API shows it."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class SandboxFirewall(_Readable, Firewall):
    """A firewall of a sandbox, as the API shows it."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class SandboxLoadBalancer(_Readable, LoadBalancer):
    """A load balancer of a sandbox, as the API shows it."""


T = TypeVar("T", SandboxInstance, SandboxSnapshot, SandboxFirewall, SandboxLoadBalancer)


def read_record(kind: type[T], data: bytes) -> T:
    """Return the record that this JSON of the control plane describes."""
    of_kind: Any = kind
    record: T = _adapter(of_kind).validate_json(data)
    return record


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter  # lazy: only what reads records needs it

    return TypeAdapter(made(kind))


def _data(record: Any) -> dict[str, Any]:
    return asdict(record)


def _fields(kind: type) -> list[str]:
    return list(getattr(kind, "__dataclass_fields__", {}))
