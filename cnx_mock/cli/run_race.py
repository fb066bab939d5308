"""What `cnx-mock run --race` does: it runs two programs in one world, under one schedule, and prints the result."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnx_mock.cli.errors import INTERRUPTED, UNMET
from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.cli.program_settings import program_settings
from cnx_mock.cli.streams import settle
from cnx_mock.cli.terminal import shown_line
from cnx_mock.errors import UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.sweep.race.schedule import RACERS, Schedule, order_of
from cnx_mock.sweep.race.trial import race_once
from cnx_mock.sweep.race.world import ANY_PACE, RaceRun
from cnx_mock.sweep.state import resources_left

_PACE = replace(ANY_PACE, pause=10)
"""Nothing is known of the programs, so a turn without a call lasts half a minute: one may wait for the other one."""


def run_race(
    command: Sequence[str],
    other: str | None,
    schedule: str | None,
    folder: Path | None,
    options: Mapping[str, Any],
    *,
    quiet: bool,
) -> int:
    """Run two programs, and return the exit status: that of A, or of B if A succeeds; 3 if both succeed and their calls
    came in another order. Raises UsageError, ProgramError, and what settings and scenarios raise."""
    if schedule is None:
        raise UsageError("--race needs a schedule: write --schedule 'A1 B1 A2'; `sweep --race` finds those that matter")
    order = Schedule.parsed(schedule)
    settings = program_settings(options)
    scenario = load_scenarios(settings.scenario) if settings.scenario else None
    runs = ProgramRuns(tuple(command), settings, scenario=scenario, folder=folder)
    second = runs.config if other is None else replace(runs.config, command=command_words(other))
    done: list[RaceRun] = []

    async def race() -> None:
        executor = ThreadPoolExecutor(len(RACERS), "cnx-mock run")
        try:
            paces = dict.fromkeys(RACERS, _PACE)
            done.append(await race_once({"A": runs.config, "B": second}, order, paces, None, executor))
        finally:
            executor.shutdown(wait=False)

    if not runs.complete(race):
        return INTERRUPTED
    settle()
    actual = Schedule(order_of(done[0].order)).text()
    is_kept = f"{actual} ".startswith(f"{order.text()} ")
    for line in () if quiet else _lines(done[0]):
        sys.stderr.write(f"cnx-mock: {shown_line(line)}\n")
    if not is_kept:
        sys.stderr.write(
            f"cnx-mock: schedule '{order.text()}': this order did not happen, the calls came as '{actual}'\n"
        )
    failed = next((done[0].ended[racer].shell_status for racer in RACERS if done[0].ended[racer].status), 0)
    return failed or (0 if is_kept else UNMET)


def command_words(line: str) -> list[str]:
    """Return the words of the command line of `--with`. Raises UsageError."""
    try:
        found = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"--with {line!r} is not a command line: {error}") from None
    if not found:
        raise UsageError("--with is empty: write a program and its arguments")
    return found


def _lines(race: RaceRun) -> Iterator[str]:
    """Yield what happened: the calls in order, how the programs ended, and what is left."""
    for each in race.run.entries:
        yield f"{each['racer']}{each['number']}  {each['method']} {each['path']}  {each['status'] or 'cut'}"
    for racer in RACERS:
        yield f"{racer} ended with exit status {race.ended[racer].shell_status}"
        for line in race.ended[racer].output.rstrip().splitlines():
            yield f"  {racer}| {line}"
    if race.gave_up:
        yield "a program gave up a call while it waited for its turn: this order cannot be reached"
    for resource in resources_left(race.run.start, race.run.states):
        yield f"left behind: {resource} ({resource.id})"
