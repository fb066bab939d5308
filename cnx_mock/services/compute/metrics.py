"""The metrics of an instance: a pure function of the seed, the id and the minute, so every read shows the same."""

from typing import Annotated

from cnx_mock.api.declarations import Field
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import format_instant
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import MINUTE, SECOND
from cnx_mock.world.records import InstanceRecord


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class CpuMetrics(Shape):
    """Processor use."""

    utilization_percent: Annotated[int, Field(ge=0, le=100, examples=[23])]
    """Share of all vCPUs in use, in percent."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class MemoryMetrics(Shape):
    """Memory use."""

    used_mb: Annotated[int, Field(ge=0, examples=[2048])]
    """Memory in use, in MiB."""
    total_mb: Annotated[int, Field(ge=0, examples=[8192])]
    """Memory of the plan, in MiB."""
    utilization_percent: Annotated[int, Field(ge=0, le=100, examples=[25])]
    """Share in use, in percent."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class NetworkMetrics(Shape):
    """Network traffic."""

    rx_bytes_per_second: Annotated[int, Field(ge=0, examples=[125000])]
    """Received, in bytes a second, over the last interval."""
    tx_bytes_per_second: Annotated[int, Field(ge=0, examples=[98000])]
    """Sent, in bytes a second, over the last interval."""
    rx_bytes_total: Annotated[int, Field(ge=0, examples=[750000000])]
    """Received since the instance came up, in bytes."""
    tx_bytes_total: Annotated[int, Field(ge=0, examples=[588000000])]
    """Sent since the instance came up, in bytes."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class InstanceMetrics(Shape):
    """The load and the traffic of an instance, sampled once a minute."""

    sampled_at: Annotated[str, Field(examples=["2026-01-01T00:01:00Z"])]
    """When the sample was taken, RFC 3339 UTC: the start of a minute."""
    interval_seconds: Annotated[int, Field(examples=[60])]
    """Seconds between samples."""
    cpu: CpuMetrics
    """Processor use."""
    memory: MemoryMetrics
    """Memory use."""
    network: NetworkMetrics
    """Network traffic."""


def sample(chance: Chance, record: InstanceRecord, now: int) -> InstanceMetrics:
    """Return the sample of this minute for an instance that is ready. A stopped one has no load and no traffic."""
    stopped = record.stopped(now)
    came_up = (record.provisioned(now) or record.created) // MINUTE
    minute = now // MINUTE
    last = minute if stopped is None else stopped // MINUTE
    cpu = memory = 0
    if stopped is None:
        cpu = chance.between(2, 95, "cpu", record.id, minute)
        memory = chance.between(10, 90, "memory", record.id, minute)
    received = _Traffic(chance, record.id, "rx")
    sent = _Traffic(chance, record.id, "tx")
    return InstanceMetrics(
        sampled_at=format_instant(minute * MINUTE),
        interval_seconds=MINUTE // SECOND,
        cpu=CpuMetrics(utilization_percent=cpu),
        memory=MemoryMetrics(
            used_mb=record.plan.memory_mb * memory // 100,
            total_mb=record.plan.memory_mb,
            utilization_percent=memory,
        ),
        network=NetworkMetrics(
            rx_bytes_per_second=received.rate(last - came_up) if stopped is None else 0,
            tx_bytes_per_second=sent.rate(last - came_up) if stopped is None else 0,
            rx_bytes_total=received.total(last - came_up),
            tx_bytes_total=sent.total(last - came_up),
        ),
    )


class _Traffic:
    """The bytes in one direction: a fixed average per minute, plus a random part.

    The random part is less than the average of one minute, so that the total never falls.
    """

    def __init__(self, chance: Chance, instance_id: str, way: str) -> None:
        self._chance, self._words = chance, (way, instance_id)
        self._minutely = 60 * chance.between(1_000, 500_000, way, instance_id)

    def total(self, minutes: int) -> int:
        """Return the bytes after this number of minutes."""
        if minutes <= 0:
            return 0
        return minutes * self._minutely + self._chance.between(0, self._minutely - 1, *self._words, minutes)

    def rate(self, minutes: int) -> int:
        """Return the bytes per second in the last of these minutes."""
        return (self.total(minutes) - self.total(minutes - 1)) // 60
