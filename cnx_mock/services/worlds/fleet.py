"""A generated fleet becomes records: what `WorldBuilder` does with an entry, without an entry for each instance."""

from collections.abc import Iterable, Iterator

from cnx_mock.services.worlds.generate import PORTION, FleetInstance
from cnx_mock.world import kinds
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import SECOND
from cnx_mock.world.lifecycle import Lifecycle, ProvisioningRule
from cnx_mock.world.records import InstanceRecord
from cnx_mock.world.sandbox import SandboxState

PROVISIONING_TIME = 45 * SECOND
"""How long a resource took that is ready already."""


INDEXED_FROM = 2_000
"""From how many instances on they are indexed while they are added."""


def add_fleet(sandbox: SandboxState, fleet: Iterable[FleetInstance | None], now: int) -> Iterator[None]:
    """Add a fleet's instances to a sandbox. It yields after each portion."""
    tags: dict[str | None, tuple[str, ...]] = {None: ()}
    last = 0
    for number, drawn in enumerate(fleet):
        if drawn is None or number % PORTION == 0:
            if number >= INDEXED_FROM:
                sandbox.instances.index(now)  # made with the fleet, so that the first filtered list need not
            yield
        if drawn is not None:
            tag = drawn.tag
            if tag not in tags and tag is not None:
                tags[tag] = (tag,)
            record = _add(sandbox, drawn, tags[tag], now)
            if record.place == last:
                record.place = last  # one object for equal numbers: 32 bytes for each instance
            last = record.number


def _add(sandbox: SandboxState, drawn: FleetInstance, tags: tuple[str, ...], now: int) -> InstanceRecord:
    record_id, number = sandbox.next_id(kinds.INSTANCE)
    record = fleet_record(
        drawn,
        record_id,
        number,
        now,
        catalogue=sandbox.catalogue,
        chance=sandbox.chance,
        rule=sandbox.rule(kinds.INSTANCE),
        tags=tags,
    )
    return sandbox.added(sandbox.instances, record)


def fleet_record(
    drawn: FleetInstance,
    record_id: str,
    number: int,
    now: int,
    *,
    catalogue: Catalogue,
    chance: Chance,
    rule: ProvisioningRule,
    tags: tuple[str, ...] | None = None,
) -> InstanceRecord:
    """Return the record of a drawn instance in a sandbox that is made now. `rule` is how long instances take to become
    ready; `tags` are its tags, if they are at hand."""
    plan = catalogue.plans.get(drawn.plan)
    assert plan is not None, "a spread only names plans of the catalogue"
    created = now - drawn.age
    if drawn.status == "provisioning":
        life = Lifecycle.begin(rule, chance, now, record_id, then="running")
    else:
        life = Lifecycle(ends=min(created + PROVISIONING_TIME, now), polls_left=None, then="running")
    return InstanceRecord(
        id=record_id,
        number=number,
        name=drawn.name,
        plan=plan,
        region=drawn.region,
        image=drawn.image,
        tags=tags if tags is not None else (drawn.tag,) if drawn.tag else (),
        created=created,
        updated=created,
        lifecycle=life,
        forced=("stopped", created) if drawn.status == "stopped" else None,
    )
