"""One world for two callers, each with its own address, and what they did there."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import pairwise
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.http.app import App
from cnx_mock.net.serving import Serving
from cnx_mock.net.sockets import ListeningSockets, Security, open_sockets
from cnx_mock.programs.start import ProgramResult
from cnx_mock.settings import Settings
from cnx_mock.sweep.race.gate import Callers, Gate
from cnx_mock.sweep.race.schedule import RACERS, Racer
from cnx_mock.sweep.race.turns import Pace, Turns
from cnx_mock.sweep.trial import RunResult, collected
from cnx_mock.text.units import parse_instant
from cnx_mock.world.clock import SECOND

ANY_PACE = Pace(calls=1_000_000, pause=1_000_000)
"""For a caller about which nothing is known yet: its turn ends only by the schedule."""


@dataclass(frozen=True, kw_only=True)
class RaceRun:
    """What two callers did, and what they left."""

    run: RunResult
    """Both together. Each entry has the `racer` that made the call, and its `number` among that caller's calls."""
    ended: Mapping[Racer, ProgramResult]
    """How each caller ended. A function has the status 0 if it returned, and 1 if it raised an exception."""
    paces: Mapping[Racer, Pace]
    """How each caller called."""
    order: Sequence[Racer]
    """The caller of each call that was performed."""
    gave_up: bool
    """Whether a caller gave up a call while it was held."""
    idled: bool = False
    """Whether a turn has passed because no call came in it."""
    answers: Mapping[Racer, Mapping[str, Any]] = field(default_factory=dict)
    """What each of two functions returned or raised, as plain data; empty for programs, whose exit statuses are all
    that they answer."""

    @property
    def statuses(self) -> tuple[int | None, int | None]:
        """The exit statuses of A and of B; None for one that was ended at the time limit."""
        return self.ended["A"].status, self.ended["B"].status

    def operation(self, racer: Racer, number: int) -> str | None:
        """Return the operation of a caller's call with this number, None if there is no such call yet."""
        found = (each["operation"] for each in self.run.entries if (each["racer"], each["number"]) == (racer, number))
        return next(found, None)


class RaceWorld:
    """One world, with a way to it for each caller."""

    def __init__(self, app: App, settings: Settings, security: Security | None, turns: Turns) -> None:
        """Bind the sockets. Raises what `open_sockets` raises."""
        self.app = app
        self._turns = turns
        self._callers: Callers = {}
        app.tenants.caller_of = lambda request: self._callers.get(request.connection or 0)
        self._sockets: dict[Racer, ListeningSockets] = {}
        try:
            for racer in RACERS:
                self._sockets[racer] = open_sockets(settings, security)
        except OSError:
            for sockets in self._sockets.values():
                sockets.close()
            raise
        gates = {racer: Gate(app, racer, turns, self._callers) for racer in RACERS}
        self._servings = [Serving(gates[racer], self._sockets[racer]) for racer in RACERS]

    def sockets(self, racer: Racer) -> ListeningSockets:
        """Return the sockets of a caller."""
        return self._sockets[racer]

    async def start(self) -> None:
        """Serve both."""
        for serving in self._servings:
            await serving.start()

    async def stop(self) -> None:
        """Stop serving."""
        self._turns.close()
        for serving in self._servings:
            await serving.stop()

    def result(self, ended: Mapping[Racer, ProgramResult], began: Mapping[Racer, int]) -> RaceRun:
        """Return the result, when both have ended. `began` is when each was started, as an instant."""
        # a program that ends closes its connections, so that a call of it that is held then is given up
        result = collected(self.app.tenants, ended["A"])
        made: Counter[str] = Counter()
        for entry in result.entries:
            by_port = self._callers.get(entry["connection"] or 0, "A")
            racer = self._callers.get(entry["request_id"], by_port)
            made[racer] += 1
            entry.update(racer=racer, number=made[racer])  # type: ignore[attr-defined]  # they are dicts of our own
        return RaceRun(
            run=result,
            ended=ended,
            paces={racer: _pace(racer, result.entries, began[racer], ended[racer].seconds) for racer in RACERS},
            order=self._turns.order,
            gave_up=self._turns.gave_up,
            idled=self._turns.idled,
        )


def _pace(racer: Racer, entries: Sequence[Mapping[str, Any]], began: int, seconds: float) -> Pace:
    calls = [parse_instant(each["wall"]) for each in entries if each["racer"] == racer]
    pauses = [later - earlier for earlier, later in pairwise([began, *calls, began + round(seconds * SECOND)])]
    return Pace(len(calls), max(pauses) / SECOND)
