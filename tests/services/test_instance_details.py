"""The details of an instance are written without the declared dataclasses, which takes half the time: the bytes are the
same, and each number is the keyed draw that it always was."""

from typing import Any

import orjson
import pytest

from cnx_mock import MockServer, Settings
from cnx_mock.services.compute import metrics
from cnx_mock.services.compute.instance_fields import fields_of
from cnx_mock.services.compute.instances import InstanceDetail, InstanceSpecs, InstanceStorage
from cnx_mock.text.units import format_instant, format_money
from cnx_mock.world.chance import Chance, digest
from cnx_mock.world.clock import MINUTE
from cnx_mock.world.records import InstanceRecord
from tests.conftest import Client

SPREAD = {"status": {"running": 3, "stopped": 1, "provisioning": 1}, "plan": {"starter": 1, "pro": 1, "enterprise": 1}}


def between(chance: Chance, low: int, high: int, *words: object) -> int:
    """A number in [low, high] for these words."""
    return low + digest(chance.seed, chance.name, *words) % (high - low + 1)


def traffic(chance: Chance, record: InstanceRecord, way: str, minutes: int) -> int:
    """The bytes of an instance after so many minutes: an average, plus less than that of one minute."""
    if minutes <= 0:
        return 0
    minutely = 60 * between(chance, 1_000, 500_000, way, record.id)
    return minutes * minutely + between(chance, 0, minutely - 1, way, record.id, minutes)


def sample(chance: Chance, record: InstanceRecord, now: int) -> metrics.InstanceMetrics:
    minute, stopped = now // MINUTE, record.stopped(now)
    minutes = (now if stopped is None else stopped) // MINUTE - (record.provisioned(now) or record.created) // MINUTE
    is_on = stopped is None
    share = between(chance, 10, 90, "memory", record.id, minute) if is_on else 0
    rates = {
        way: (traffic(chance, record, way, minutes) - traffic(chance, record, way, minutes - 1)) // 60 if is_on else 0
        for way in ("rx", "tx")
    }
    return metrics.InstanceMetrics(
        sampled_at=format_instant(minute * MINUTE),
        interval_seconds=60,
        cpu=metrics.CpuMetrics(utilization_percent=between(chance, 2, 95, "cpu", record.id, minute) if is_on else 0),
        memory=metrics.MemoryMetrics(
            used_mb=record.plan.memory_mb * share // 100, total_mb=record.plan.memory_mb, utilization_percent=share
        ),
        network=metrics.NetworkMetrics(
            rx_bytes_per_second=rates["rx"],
            tx_bytes_per_second=rates["tx"],
            rx_bytes_total=traffic(chance, record, "rx", minutes),
            tx_bytes_total=traffic(chance, record, "tx", minutes),
        ),
    )


def declared(chance: Chance, record: InstanceRecord, now: int) -> InstanceDetail:
    status, plan = record.status(now), record.plan
    fields: dict[str, Any] = fields_of(record, status, now)
    fields["specs"] = InstanceSpecs(**fields["specs"])
    return InstanceDetail(
        **fields,
        storage=InstanceStorage(type="ephemeral", size_gb=plan.disk_gb),
        snapshot_ids=list(record.snapshot_ids),
        price_hourly=format_money(plan.hourly_cents),
        price_hourly_cents=plan.hourly_cents,
        metrics=None if status == "provisioning" else sample(chance, record, now),
    )


@pytest.mark.parametrize("number", [40, 250])  # a short list, and one that is written in slices
def test_the_bytes_are_those_of_the_declaration(number: int) -> None:
    fixture = {"accounts": [{"name": "Fleet"}], "generate": {"instances": number, "spread": SPREAD, "oldest": "2h"}}
    with MockServer(settings=Settings(port=0, seed=7)) as server:
        sandbox = server.sandbox(name="fleet", fixture=fixture)
        client = Client(server.url, sandbox.api_key)
        client.post("/v1/snapshots", {"instance_id": next(iter(sandbox.instances)).id})
        sandbox.clock.freeze()
        assert server._app is not None
        [tenant] = server._app.tenants
        state, now = tenant.sandbox, tenant.sandbox.now
        expected = [declared(state.chance, record, now) for record in state.instances]
        assert {each.status for each in expected} == set(SPREAD["status"])
        assert client.get("/_mock/instances").body == orjson.dumps({"data": expected})
        for each in expected[:5]:
            assert client.get(f"/v1/instances/{each.id}").body == orjson.dumps(each)
