"""The metrics of an instance: a pure function of the seed, the id and the minute, so every read shows the same."""

from typing import Annotated, Any

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


_CPU = range(2, 96)
"""Percent of the vCPUs."""

_MEMORY = range(10, 91)
"""Percent of the memory."""

_RATES = range(1_000, 500_001)
"""Average bytes per second."""


def sample(chance: Chance, record: InstanceRecord, now: int) -> dict[str, Any]:
    """Return the fields of an `InstanceMetrics`: the sample of this minute for an instance that is ready. A stopped one
    has no load and no traffic."""
    stopped = record.stopped(now)
    came_up = (record.provisioned(now) or record.created) // MINUTE
    minute = now // MINUTE
    last = minute if stopped is None else stopped // MINUTE
    cpu = memory = 0
    if stopped is None:
        cpu = _CPU[chance.draw("cpu", record.id)(minute) % len(_CPU)]
        memory = _MEMORY[chance.draw("memory", record.id)(minute) % len(_MEMORY)]
    received, received_total = _traffic(chance, record.id, "rx", last - came_up)
    sent, sent_total = _traffic(chance, record.id, "tx", last - came_up)
    total_mb = record.plan.memory_mb
    return {
        "sampled_at": format_instant(minute * MINUTE),
        "interval_seconds": MINUTE // SECOND,
        "cpu": {"utilization_percent": cpu},
        "memory": {
            "used_mb": total_mb * memory // 100,
            "total_mb": total_mb,
            "utilization_percent": memory,
        },
        "network": {
            "rx_bytes_per_second": received if stopped is None else 0,
            "tx_bytes_per_second": sent if stopped is None else 0,
            "rx_bytes_total": received_total,
            "tx_bytes_total": sent_total,
        },
    }


def _traffic(chance: Chance, instance_id: str, way: str, minutes: int) -> tuple[int, int]:
    """Return the bytes per second in the last of these minutes, and the bytes in all of them, in one direction.

    In all of them it is a fixed average per minute, plus a random part. That is less than the average of one minute, so
    that the total never falls.
    """
    if minutes <= 0:
        return 0, 0
    draw = chance.draw(way, instance_id)
    average = 60 * _RATES[draw() % len(_RATES)]
    total = minutes * average + draw(minutes) % average
    before = (minutes - 1) * average + draw(minutes - 1) % average if minutes > 1 else 0
    return (total - before) // 60, total
