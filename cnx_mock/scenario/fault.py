"""The base of every fault: a declaration whose fields are its keys in a rule, and what it does to an exchange.

Shapers change how an answer is sent; at most one outcome replaces it. To add a fault, write one file under `faults/`.
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import ClassVar, Literal

from cnx_mock.api.operation import Operation
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.exchange import Answer, Exchange
from cnx_mock.scenario.lasting import Lasting

At = Literal["before", "after"]


NO_BODY = "the answer has no body"


@dataclass(slots=True)
class Turn:
    """The application of a fault in one exchange: the settings of its rule, and how to continue."""

    at: At
    draw: Callable[[str], float]
    """Returns a keyed draw in [0, 1) for a purpose."""
    proceed: Callable[[], Awaitable[None]]
    """Performs the rest: other faults, then the operation, which leaves its answer in the exchange."""
    fired: Callable[[], None]
    """Records that the fault was applied."""
    spared: Callable[[str], None]
    """Records that the fault was not applied although its rule had decided for it, and why."""
    rule: str
    """The id of its rule."""
    lasts: Callable[[Lasting], None]
    """Keeps a lasting effect that the fault has started; it ends with the rule."""


class Fault(Declared):
    """Base of all faults. Its fields are keys of a rule's `fault`."""

    key: ClassVar[str] = ""
    """The field by which a rule names the fault; a class without one is a base of several."""
    outcome: ClassVar[bool] = False
    role: ClassVar[str] = ""
    """A rule has at most one fault of each role."""
    needs_body: ClassVar[bool] = False
    """Whether it has an effect only on an answer that can have a body."""
    idle: ClassVar[str] = NO_BODY
    """Why it cannot be applied to a call for which `applies` is false, in the journal's words."""

    def label(self) -> str:
        """Return the fault as the journal shows it: `latency=200ms`."""
        return f"{self.key}={getattr(self, self.key)}"

    def applies(self, operation: Operation | None, method: str) -> bool:
        """Return whether it can ever be applied to such a call; `operation` is None for a path without one. The engine
        does not choose a fault for a call to which it cannot be applied."""
        return not (self.needs_body and method == "HEAD")

    @abstractmethod
    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Apply the fault. If it does not call `turn.proceed`, the operation is not performed. Raises Cancelled."""


class Outcome(Fault):
    """A fault that replaces the answer, before the effect or after it has been committed."""

    outcome: ClassVar[bool] = True
    role: ClassVar[str] = "outcome"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Replace the answer. After the effect only if there was one: a refusal is sent unchanged."""
        if turn.at == "after":
            await turn.proceed()
            if exchange.answer is None or (exchange.answer.status >= 400 and not exchange.committed):
                turn.spared("nothing was committed")
                return
        exchange.effects.replaced = True
        turn.fired()
        self.replace(exchange)

    @abstractmethod
    def replace(self, exchange: Exchange) -> None:
        """Leave something else in the exchange in place of the answer."""


class BodyOutcome(Outcome):
    """An outcome that spoils the answer's body. The operation is performed first, whatever `at` says."""

    needs_body: ClassVar[bool] = True

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Spoil the answer's body; a refusal is sent unchanged."""
        await turn.proceed()
        answer = exchange.answer
        if answer is None or answer.status >= 400:
            turn.spared("nothing was committed")
        elif not answer.body:
            turn.spared(NO_BODY)
        else:
            exchange.effects.replaced = True
            turn.fired()
            exchange.answer = self.spoilt(answer, turn.draw)

    def replace(self, exchange: Exchange) -> None:
        """Not called: `apply` spoils the answer itself."""

    @abstractmethod
    def spoilt(self, answer: Answer, draw: Callable[[str], float]) -> Answer:
        """Return the answer with another body."""


class Pacing(Fault):
    """A shaper that slows a body down. Of several rules' the first wins."""

    role: ClassVar[str] = "pace"
    needs_body: ClassVar[bool] = True

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Set the pace of the answer, whichever it will be."""
        first = exchange.effects.pace is None
        if first:
            exchange.effects.pace = self.pieces
        await turn.proceed()
        if not first:
            turn.spared("an earlier rule sets the pace")
        elif exchange.effects.connection_fault or not (exchange.answer and exchange.answer.body):
            turn.spared("no body is sent")
        elif not any(wait for wait, _ in self.pieces(exchange.answer.body)):
            turn.spared("a body of this size takes no time")
        else:
            turn.fired()

    @abstractmethod
    def pieces(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """Split the body into pieces, each with the microseconds to wait before it."""
