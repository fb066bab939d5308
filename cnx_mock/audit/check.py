"""The base of all checks. A check is a small declaration, and a search through the calls of one journal.

To add one, write one file under `checks/`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.audit.threshold import Threshold
from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import format_duration

_SHOWN = 6
"""How many requests a message lists one by one."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place in a journal where a check found something."""

    message: str
    """One line that names the requests."""
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
    """The numbers that it decides by."""
    on_request: ClassVar[bool] = False
    """Whether it runs only if it is asked for by name."""
    by_worker: ClassVar[bool] = False
    """Whether it depends on which calls are attempts of the same worker."""

    @abstractmethod
    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield what it finds in a journal."""


def named(calls: Iterable[Call]) -> str:
    """Return the requests' numbers: `#1, #2 and #3`. Of many requests it has the first ones and the last one."""
    numbers = [f"#{call.seq}" for call in calls]
    if len(numbers) > _SHOWN:
        return f"{', '.join(numbers[: _SHOWN - 1])} … {numbers[-1]} ({len(numbers)} requests)"
    return " and ".join([", ".join(numbers[:-1]), numbers[-1]] if len(numbers) > 1 else numbers)


def outcome(call: Call) -> str:
    """Return what the client received, in a few words: `a 400 VALIDATION_ERROR`."""
    if call.status is None:
        return "no answer"
    if call.unreadable:
        return f"a {call.status} that cannot be read"
    return f"a {call.status} {call.code}".strip()


def milliseconds(microseconds: float) -> str:
    """Return a duration rounded to milliseconds: `1.5s`."""
    return format_duration(round(microseconds / 1000) * 1000)
