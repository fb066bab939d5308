"""What the clients of this folder have in common."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from cloud import BODY, Refused, call

__all__ = ["BODY", "Refused", "call", "firewalls", "named"]


def named(name: str) -> list[Any]:
    """The instances with this name."""
    return [each for each in call("GET", "/v1/instances")["data"] if each["name"] == name]


def firewalls(name: str) -> list[Any]:
    """The firewalls with this name."""
    return [each for each in call("GET", "/v1/network/firewall")["data"] if each["name"] == name]
