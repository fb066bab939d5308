"""What an access line says of a request."""

from typing import NamedTuple

from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.tenant import Tenant


class AccessRecord(NamedTuple):
    """What an access line says of a request."""

    wall: int
    """When it arrived, in microseconds since the epoch."""
    method: str
    target: str
    """Path and query, as sent."""
    status: int | None
    """The answer's status; None if the connection was ended without one."""
    duration: int
    """Microseconds from its arrival to the end of the answer."""
    operation: str
    """The operation's name, `-` if the path has none."""
    sandbox: str
    """The end of its key, `-` if it reached no sandbox."""
    faults: tuple[str, ...]
    """What struck it, each as `rule:fault`."""
    problem: str = ""
    """Why it could not be read; empty if it could."""


def access_record(record: JournalRecord, tenant: Tenant | None) -> AccessRecord:
    """Return what an access line says of a request of a tenant."""
    request = record.request
    return AccessRecord(
        wall=request.wall,
        method=request.method or "-",
        target=f"{request.path}?{request.query}" if request.query else request.path or "-",
        status=record.status,
        duration=record.duration or 0,
        operation=record.operation.name if record.operation else "-",
        sandbox=tenant.label if tenant else "-",
        faults=tuple(f"{rule}:{fault}" for rule, fault in record.applied),
        problem=record.problem or "",
    )
