"""What every fault is: a small declaration whose fields are its keys in a rule, and what it does to an exchange.

Shapers change how an answer comes; at most one outcome takes its place. To add one, write one file under `faults/`.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from cnx_mock.api.operation import Operation
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Answer, Exchange

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
    role: ClassVar[str] = ""
    """Of all faults with the same role a rule has one."""

    def label(self) -> str:
        """The fault in the journal's words: `latency=200ms`."""
        return f"{self.key}={getattr(self, self.key)}"

    def applies(self, operation: Operation, method: str) -> bool:
        """Whether it can ever be applied to such a call."""
        return True

    @abstractmethod
    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Do it. Whoever does not call `turn.proceed` keeps the operation from happening."""


class Outcome(Fault):
    """A fault that takes the answer's place, before the effect or after it has been committed."""

    outcome: ClassVar[bool] = True
    role: ClassVar[str] = "outcome"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Replace the answer; after the effect only where there was one: a refusal goes out unchanged."""
        if turn.at == "after":
            await turn.proceed()
            if exchange.answer is None or exchange.answer.status >= 400:
                turn.spared("nothing was committed")
                return
        exchange.effects.replaced = True
        turn.fired()
        self.replace(exchange)

    @abstractmethod
    def replace(self, exchange: Exchange) -> None:
        """Put something else into the answer's place."""


class BodyOutcome(Outcome):
    """An outcome that spoils a body. There must be one to spoil: the call happens, whatever `at` says."""

    def applies(self, operation: Operation, method: str) -> bool:
        """Whether such an answer has a body."""
        return method != "HEAD"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Spoil the answer; a refusal goes out unchanged."""
        await turn.proceed()
        answer = exchange.answer
        if answer is None or answer.status >= 400:
            turn.spared("nothing was committed")
        elif not answer.body or exchange.request.method == "HEAD":
            turn.spared("the answer has no body")
        else:
            exchange.effects.replaced = True
            turn.fired()
            exchange.answer = self.spoilt(answer, turn.draw)

    def replace(self, exchange: Exchange) -> None:
        """Nothing takes the answer's place."""

    @abstractmethod
    def spoilt(self, answer: Answer, draw: Callable[[str], float]) -> Answer:
        """The answer with another body."""


class Pacing(Fault):
    """A shaper that slows a body down. Of several rules' the first wins."""

    role: ClassVar[str] = "pace"

    def applies(self, operation: Operation, method: str) -> bool:
        """Whether such an answer has a body."""
        return method != "HEAD"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Set the pace for whatever goes out in the end."""
        first = exchange.effects.pace is None
        if first:
            exchange.effects.pace = self.pieces
        await turn.proceed()
        if not first:
            turn.spared("an earlier rule sets the pace")
        elif (
            exchange.effects.delivery
            or not (exchange.answer and exchange.answer.body)
            or exchange.request.method == "HEAD"
        ):
            turn.spared("no body goes out")
        else:
            turn.fired()

    @abstractmethod
    def pieces(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """The body in pieces, each with the microseconds to wait before it."""
