"""How long a program waited for resources that were provisioning, and what makes such a wait shorter."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cnx_mock.scenario.scenario import Scenario
from cnx_mock.settings import Settings
from cnx_mock.text.units import format_duration
from cnx_mock.world.clock import SECOND

if TYPE_CHECKING:
    from cnx_mock.audit.call import Call

_FASTER = 60
"""By how much the speed that is offered is above the present one."""
_FASTEST = 1_000_000


def provisioning_wait(calls: "Iterable[Call]") -> int:
    """Return the microseconds of real time between answers that showed a resource as provisioning and the next reads
    of it. Waits at the same time count once."""
    shown: dict[tuple[str | None, str], int] = {}
    waits: list[tuple[int, int]] = []
    for call in sorted(calls, key=lambda each: each.began):
        if not call.succeeded:
            continue
        for item in call.items:
            resource = call.sandbox, str(item["id"])
            since = shown.pop(resource, None)
            if since is not None and call.method == "GET":
                waits.append((since, call.began))
            if item["id"] in call.provisioning:
                shown[resource] = call.began if call.ended is None else call.ended
    return sum(end - begin for begin, end in _merged(waits))


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield spans of time without overlaps, for the same time altogether."""
    until = 0
    for begin, end in sorted(spans):
        if end > max(begin, until):
            yield max(begin, until), end
            until = end


def wait_lines(wait: int, settings: Settings, scenario: Scenario) -> Iterator[str]:
    """Yield a line about a wait of at least a second: how long it was, and which options make it shorter."""
    if wait < SECOND:
        return
    speed = f"--speed {min(settings.speed * _FASTER, _FASTEST):g} makes the sandbox's clock faster"
    polls = ", --provisioning polls:1 makes one poll enough"
    own = bool(settings.provisioning or scenario.provisioning)
    yield f"waited {format_duration(wait // SECOND * SECOND)} for provisioning: {speed}{'' if own else polls}"
