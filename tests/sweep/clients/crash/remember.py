"""What the clients of this folder have in common: one call at a time, and files in the scratch folder."""

import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from cloud import BODY, Refused
from cloud import call as call_in_time

SCRATCH = Path(os.environ["CNX_MOCK_SCRATCH"])

__all__ = ["BODY", "SCRATCH", "Refused", "call", "instances", "named", "remember", "remembered"]


PATIENCE = 60  # seconds; a busy machine takes a while


def call(method: str, path: str, body: Any = None) -> Any:
    """What the answer says. Raises Refused."""
    return call_in_time(method, path, body, PATIENCE)


def instances() -> list[Any]:
    """Every instance."""
    found: list[Any] = call("GET", "/v1/instances")["data"]
    return found


def named(name: str) -> list[Any]:
    """The instances with this name."""
    return [each for each in instances() if each["name"] == name]


def remembered(name: str) -> Any:
    """What an earlier run has written into a file; None if there is no such file."""
    file = SCRATCH / name
    return json.loads(file.read_text()) if file.exists() else None


def remember(name: str, value: Any) -> None:
    """Write a file for the next run, whole or not at all."""
    draft = SCRATCH / f"{name}.draft"
    draft.write_text(json.dumps(value))
    draft.replace(SCRATCH / name)
