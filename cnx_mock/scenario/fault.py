"""What every fault is: a small declaration whose fields are its keys in a rule, and what it does to an exchange.

Shapers change how an answer comes; at most one outcome takes its place. To add one, write one file under `faults/`.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Exchange

At = Literal["before", "after"]


@dataclass(slots=True)
class Turn:
    """A fault's turn in one exchange: what its rule says, and the way on."""

    at: At
    draw: Callable[[str], float]
    """A keyed draw in [0, 1) for a purpose."""
    proceed: Callable[[], Awaitable[None]]
    """The rest of the way: other faults, then the operation, which leaves its answer in the exchange."""
    fired: Callable[[], None]
    """Say that the fault was applied."""
    spared: Callable[[str], None]
    """Say that it was not, and why, although its rule had decided for it."""


class Fault(Declared):
    """Base of all faults. Its fields are keys of a rule's `fault`."""

    key: ClassVar[str] = ""
    """The field by which a rule names the fault; a class without one is a base of several."""
    outcome: ClassVar[bool] = False

    def label(self) -> str:
        """The fault in the journal's words: `latency=200ms`."""
        return f"{self.key}={getattr(self, self.key)}"

    @abstractmethod
    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Do it. Whoever does not call `turn.proceed` keeps the operation from happening."""


class Outcome(Fault):
    """A fault that takes the answer's place, before the effect or after it has been committed."""

    outcome: ClassVar[bool] = True

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Replace the answer; after the effect only where there was one: a refusal goes out unchanged."""
        if turn.at == "after":
            await turn.proceed()
            if exchange.answer is None or exchange.answer.status >= 400:
                turn.spared("nothing was committed")
                return
        exchange.replaced = True
        turn.fired()
        self.replace(exchange)

    @abstractmethod
    def replace(self, exchange: Exchange) -> None:
        """Put something else into the answer's place."""
