"""A sandbox's clock."""

from typing import Annotated, Any

from cnx_mock.api.declarations import BeforeValidator, Field
from cnx_mock.api.errors import ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Shape
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import ClockError
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.text.units import format_instant_ms, parse_duration, parse_instant
from cnx_mock.world.clock import Clock, wall_now

resource = Resource("_mock.clock", "A sandbox's clock.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ClockState(Shape):
    """A clock as it is now."""

    now: str
    """The sandbox's time, RFC 3339 with milliseconds."""
    speed: float
    """Sandbox seconds per real second."""
    frozen: bool
    """Whether it is stopped; then only `advance` moves it."""


class ClockChange(Declared):
    """What to change of a clock."""

    now: Annotated[Any, BeforeValidator(parse_instant)] | None = None
    """Move on to this instant."""
    speed: Annotated[int | float, Field(gt=0, le=1_000_000)] | None = None
    """Sandbox seconds per real second."""
    frozen: bool | None = None
    """Whether it is stopped."""


class Advance(Declared):
    """How far to move on."""

    by: Annotated[Any, BeforeValidator(parse_duration)]
    """A duration such as 45s."""


@resource.operation("GET", "/_mock/clock", provenance=_PROVENANCE)
def get(server: Server, target: ControlTarget) -> ClockState:
    """Read the clock; without a key, the one that a new sandbox would get."""
    return clock_state(server, target)


@resource.operation("PATCH", "/_mock/clock", provenance=_PROVENANCE)
def change(server: Server, target: ControlTarget, body: ClockChange) -> ClockState:
    """Change the clock; without a key, that of new sandboxes."""
    if target.tenant is None:
        tenants = server.tenants
        speed = None if body.speed is None else float(body.speed)
        given = {"start": body.now, "speed": speed, "frozen": body.frozen}
        tenants.defaults = tenants.defaults.patched(
            {}, {name: value for name, value in given.items() if value is not None}
        )
        return clock_state(server, target)
    clock = target.tenant.sandbox.clock
    if body.now is not None:
        _advance(clock, body.now - clock.now(), "now")
    if body.speed is not None:
        clock.speed = float(body.speed)
    if body.frozen is not None:
        clock.frozen = body.frozen
    return clock_state(server, target)


@resource.operation("POST", "/_mock/clock/advance", provenance=_PROVENANCE)
def advance(server: Server, target: ControlTarget, body: Advance) -> ClockState:
    """Move the clock forward. When this answers, everything due has happened."""
    _advance(target.must().sandbox.clock, body.by, "by")
    return clock_state(server, target)


def _advance(clock: Clock, by: int, field: str) -> None:
    """Advance the clock. Raises ValidationFailed, which names the field that asks for it."""
    try:
        clock.advance(by)
    except ClockError as error:
        raise ValidationFailed(**{field: str(error)}) from None


def clock_state(server: Server, target: ControlTarget) -> ClockState:
    """Return a sandbox's clock; without a sandbox, the one that a new one would get."""
    if target.tenant is not None:
        clock = target.tenant.sandbox.clock
        return ClockState(now=format_instant_ms(clock.now()), speed=clock.speed, frozen=clock.frozen)
    defaults = server.tenants.defaults
    now = wall_now() if defaults.start is None else defaults.start
    return ClockState(now=format_instant_ms(now), speed=defaults.speed, frozen=defaults.frozen)
