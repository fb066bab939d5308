"""What every check is: a small declaration, and a search through one journal's calls.

To add one, write one file under `checks/`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.audit.threshold import Threshold
from cnx_mock.text.units import format_duration

_SHOWN = 6
"""Requests that a finding names one by one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw: one line that names the requests, and the requests."""

    message: str
    """One line."""
    calls: Sequence[Call]
    """The requests that it is about."""


class Check(ABC):
    """Base of all checks."""

    code: ClassVar[str]
    """Its name: `flat-backoff`."""
    title: ClassVar[str]
    """What it finds, in a few words."""
    why: ClassVar[str]
    """Why that matters."""
    fix: ClassVar[str]
    """What to do about it."""
    thresholds: ClassVar[tuple[Threshold, ...]] = ()
    """The numbers that it judges by."""
    on_request: ClassVar[bool] = False
    """Whether it looks only when it is asked to."""

    @abstractmethod
    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """What is to be said of this journal."""


def named(calls: Iterable[Call]) -> str:
    """Requests by their numbers: `#1, #2 and #3`; of many the first ones and the last."""
    numbers = [f"#{call.seq}" for call in calls]
    if len(numbers) > _SHOWN:
        return f"{', '.join(numbers[: _SHOWN - 1])} … {numbers[-1]} ({len(numbers)} requests)"
    return " and ".join([", ".join(numbers[:-1]), numbers[-1]] if len(numbers) > 1 else numbers)


def outcome(call: Call) -> str:
    """What the client had of a call, in a few words."""
    if call.status is None:
        return "no answer"
    if call.spoilt:
        return f"a {call.status} that cannot be read"
    return f"a {call.status} {call.code}".strip()


def lasted(microseconds: float) -> str:
    """A duration in milliseconds, as people write it."""
    return format_duration(round(microseconds / 1000) * 1000)
