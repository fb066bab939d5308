"""Lists of the control plane, which has no pages: long ones are written in slices."""

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.http.export import FEW_SHOWN, WorldExport, WorldExporting, list_json
from cnx_mock.world.records import MadeRecord
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.table import Table

T = TypeVar("T")
S = TypeVar("S", bound=Shape)
R = TypeVar("R", bound=MadeRecord)


def listed(things: Collection[T], show: Callable[[T], S]) -> Listing[S]:
    """Return the list of these things. Raises WorldExporting to wait for a long one: each item is as it is when it is
    written."""
    if len(things) < FEW_SHOWN:
        return Listing(data=[show(each) for each in things])
    raise WorldExporting(WorldExport(list_json(map(show, things)), len(things), "a list"))


def resources(
    target: ControlTarget,
    table: Callable[[SandboxState], Table[R]],
    show: Callable[[SandboxState, R, int], S],
) -> Listing[S]:
    """Return the list of a sandbox's resources. Raises Unauthorized for a call without a key, WorldExporting to wait
    for a long one: it is of one moment, and calls that need the sandbox wait until it is written."""
    tenant = target.must()
    sandbox = tenant.sandbox
    now, records = sandbox.now, table(sandbox)
    shown: Iterable[S] = (show(sandbox, each, now) for each in records)
    if len(records) < FEW_SHOWN:
        return Listing(data=list(shown))
    raise WorldExporting(tenant.write(list_json(iter(shown)), len(records)))
