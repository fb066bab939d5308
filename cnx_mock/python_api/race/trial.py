"""Run two functions once against one world, under a schedule, and return what they did and what they left."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.programs.start import ProgramResult
from cnx_mock.python_api.race.answer import FunctionAnswer, answer_of, comparable
from cnx_mock.python_api.race.origin import RaceOrigin
from cnx_mock.sweep.race.schedule import RACERS, Racer, Schedule, other
from cnx_mock.sweep.race.turns import Pace, Turns
from cnx_mock.sweep.race.world import RaceRun, RaceWorld
from cnx_mock.world.clock import SECOND, ticks, wall_now

_GRACE_SECONDS = 1.0
"""How long a function that did not end in time gets to end when its connections are closed."""


@dataclass(frozen=True, kw_only=True)
class FunctionPair:
    """Two functions to race."""

    functions: Mapping[Racer, Callable[[Any], Any]]
    names: Mapping[Racer, str]
    """What people call them."""
    origin: RaceOrigin
    """The sandbox with which each world begins."""
    handle: Callable[[str, str], tuple[Any, Callable[[], None]]]
    """Returns what a function is called with, by the base URL and the sandbox's id, and what closes that."""

    @property
    def is_one_function(self) -> bool:
        """Whether the two are the same function, so that they are the same the other way round."""
        return bool(self.functions["A"] == self.functions["B"])  # a bound method is another object each time


@dataclass(frozen=True, kw_only=True)
class FunctionRun:
    """What two functions did, and what they left."""

    race: RaceRun
    answers: Mapping[Racer, FunctionAnswer]
    """What each answered. One that did not end in time has none."""


async def race_functions(
    pair: FunctionPair,
    schedule: Schedule,
    paces: Mapping[Racer, Pace],
    seconds: float,
    *,
    together: bool = True,
) -> FunctionRun:
    """Call both functions in one new world, each in a thread. `together` is whether both are started at once; otherwise
    the second one is started when the first one has ended. `seconds` is the time limit of each.

    Raises ListenError if no port is free.
    """
    race = _FunctionRace(pair, schedule, paces)
    try:
        await race.start()
        first = race.turns.now
        if together:
            await race.run(RACERS, seconds)
        else:
            await race.run((first,), seconds)
            await race.run((other(first),), seconds)
    finally:
        await race.stop()
    return race.result()


class _FunctionRace:
    """One world, with a way to it for each function."""

    def __init__(self, pair: FunctionPair, schedule: Schedule, paces: Mapping[Racer, Pace]) -> None:
        self._pair = pair
        self._began: dict[Racer, int] = {}
        self._ended: dict[Racer, ProgramResult] = {}
        self._calls: dict[Racer, asyncio.Future[FunctionAnswer]] = {}
        self._closing: list[tuple[Racer, Callable[[], None]]] = []
        # a thread cannot be stopped: it goes on to its next call, and the turn does not pass before that
        self.turns = Turns(schedule, paces, lambda racer: None, lambda racer: None)
        app, self._sandbox_id = pair.origin.new_world()
        self._world = RaceWorld(app, pair.origin.settings, pair.origin.security, self.turns)
        self._urls = [url for racer in RACERS for url in self._world.sockets(racer).urls]

    async def start(self) -> None:
        """Serve both."""
        await self._world.start()

    async def stop(self) -> None:
        """Stop serving: a call that still waits fails."""
        await self._world.stop()
        if self._calls:
            await asyncio.wait(self._calls.values(), timeout=_GRACE_SECONDS)
        for racer, close in self._closing:
            if self._calls[racer].done():
                close()

    async def run(self, racers: tuple[Racer, ...], seconds: float) -> None:
        """Call functions, and wait until they have ended."""
        for racer in racers:
            self.turns.started(racer)
        await asyncio.gather(*(self._run(racer, seconds) for racer in racers))

    async def _run(self, racer: Racer, seconds: float) -> None:
        call = self._calls[racer] = asyncio.get_running_loop().create_future()
        handle, close = self._pair.handle(self._world.sockets(racer).url, self._sandbox_id)
        self._closing.append((racer, close))
        name = f"cnx-mock race {racer}: {self._pair.names[racer]}"
        self._began[racer], began = wall_now(), ticks()
        _start(self._pair.functions[racer], handle, call, name)
        try:
            await asyncio.wait([call], timeout=seconds)
        finally:
            self.turns.ended(racer)
        took = (ticks() - began) / SECOND
        status = None if not call.done() else int(call.result().error is not None)
        self._ended[racer] = ProgramResult(status, took)

    def result(self) -> FunctionRun:
        """Return the result."""
        race = self._world.result(self._ended, self._began)
        answers = {racer: self._calls[racer].result() for racer in RACERS if self._ended[racer].status is not None}
        plain = {racer: comparable(answer, race.run.states, self._urls) for racer, answer in answers.items()}
        return FunctionRun(race=replace(race, answers=plain), answers=answers)


def _start(function: Callable[[Any], Any], handle: Any, call: "asyncio.Future[FunctionAnswer]", name: str) -> None:
    """Call a function in a separate thread, and give its answer to `call`."""
    loop, context = call.get_loop(), contextvars.copy_context()

    def answered(answer: FunctionAnswer) -> None:
        if not call.done():
            call.set_result(answer)

    def body() -> None:
        answer = context.run(answer_of, function, handle)
        with suppress(RuntimeError):  # the race is over, and its loop closed
            loop.call_soon_threadsafe(answered, answer)

    threading.Thread(target=body, name=name, daemon=True).start()
