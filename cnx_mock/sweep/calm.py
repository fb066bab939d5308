"""The world of a scenario without its faults: the start of a run without faults."""

from typing import Any

from cnx_mock.scenario.scenario import Scenario, read_scenario
from cnx_mock.services import operations

_SHORT = ("balance", "rate_limit", "quotas")
"""What a scenario's world can make short. A run without faults has the defaults."""


def without_faults(scenario: Scenario) -> Scenario:
    """Return a scenario without what goes wrong: its seed, and its world with the default balance, rate limit and
    quotas."""
    document = scenario.document
    world = {key: value for key, value in (document.get("world") or {}).items() if key not in _SHORT}
    kept: dict[str, Any] = {"seed": document["seed"]} if document.get("seed") is not None else {}
    return read_scenario({"name": "without faults", **kept, "world": world}, operations())
