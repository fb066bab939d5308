"""What an instance's answer says of its record, and what the statement calls it."""

from functools import cache
from ipaddress import IPv6Address
from typing import Any

from cnx_mock.text.units import format_instant
from cnx_mock.world.records import InstanceRecord

METERED_NAME = "Instance {name} ({plan})"
"""The description of an instance in the statement."""


@cache
def metered_form(plan_id: str) -> str:
    """Return the description of every instance with a plan, with `{}` in place of the name."""
    return METERED_NAME.format(name="{}", plan=plan_id)


def fields_of(record: InstanceRecord, status: str, now: int) -> dict[str, Any]:
    """Return the fields of an `Instance`, in its order."""
    plan, provisioned = record.plan, record.provisioned(now)
    created = format_instant(record.created)
    if provisioned is None and record.updated == record.created:
        updated = created
    else:
        updated = format_instant(max(record.updated, provisioned or 0))
    return {
        "id": record.id,
        "name": record.name,
        "plan": plan.id,
        "region": record.region,
        "image": record.image,
        "tags": list(record.tags),
        "status": status,
        "ipv4": None if status == "provisioning" else _ipv4(record.number),
        "ipv6": ipv6(record.id[-16:]),
        "specs": {"vcpus": plan.vcpus, "memory_mb": plan.memory_mb, "disk_gb": plan.disk_gb},
        "firewall_ids": list(record.firewall_ids),
        "created_at": created,
        "updated_at": updated,
        "provisioned_at": None if provisioned is None else format_instant(provisioned),
    }


def _ipv4(number: int) -> str:
    """Return the address of the instance with this number."""
    high, low = divmod(number % 131_070 + 1, 65_536)
    return f"198.{18 + high}.{low // 256}.{low % 256}"


def ipv6(digits: str) -> str:
    """Return 2001:db8, the 16 hex digits of an id, and ::1, in the form of RFC 5952. `ipaddress` is slow, and only a
    group of four zeros needs it."""
    a, b, c, d = digits[:4], digits[4:8], digits[8:12], digits[12:]
    if a[0] == "0" or b[0] == "0" or c[0] == "0" or d[0] == "0":
        a, b, c, d = a.lstrip("0"), b.lstrip("0"), c.lstrip("0"), d.lstrip("0")
    if a and b and c and d:
        return f"2001:db8:{a}:{b}:{c}:{d}:0:1"
    return str(IPv6Address((0x20010DB8 << 96) + (int(digits, 16) << 32) + 1))
