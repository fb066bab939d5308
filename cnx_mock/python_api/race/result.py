"""The result of two functions that ran at once, or one after the other."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from cnx_mock.dataclass import dataclass


@dataclass(frozen=True, kw_only=True)
class RaceResult:
    """The result of two functions in one order of their calls. A is the first function of `Sandbox.race`, B the
    second."""

    schedule: str
    """The order in which their calls were performed: `A1 B1 B2 A2`."""
    returned: tuple[Any, Any] = field(repr=False)
    """What A and B returned; None for one that raised an exception."""
    raised: tuple[BaseException | None, BaseException | None]
    """What A and B raised; None for one that returned."""
    state: Mapping[str, Any] = field(repr=False)
    """The world that they left, as `Sandbox.state` returns it."""
    why_not: str = ""
    """Why this order has no verdict: it cannot happen, or the functions made other calls than planned. Usually
    empty."""
