"""Expectations of `cnx-mock run` in addition to the scenario: `--expect`, and `--expect-same`, which runs the program
again."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.errors import ScenarioError, SourceError, UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.settings import Settings
from cnx_mock.sweep.calm import without_faults
from cnx_mock.sweep.plan import NO_FAULTS
from cnx_mock.sweep.state import (
    ResourceCounts,
    ResourceState,
    WorldStates,
    count_resources,
    state_difference,
    varying_values,
)
from cnx_mock.sweep.trial import RunResult, run_once
from cnx_mock.sweep.varying import NOTHING, Varying
from cnx_mock.text.source import read
from cnx_mock.text.suggestions import did_you_mean, one_of
from cnx_mock.world.kinds import MADE

_KEYS = (*(kind.plural for kind in MADE), "audit")


def read_expected(texts: Sequence[str]) -> dict[str, Any]:
    """Return the values of `--expect` as the `expect` of a scenario. Raises UsageError."""
    expect: dict[str, Any] = {}
    for text in texts:
        found = re.fullmatch(r"\s*([\w-]+)\s*(>?=)\s*(.*\S)\s*", text, flags=re.DOTALL)
        if found is None:
            raise UsageError(f"--expect {text}: write KIND=WHAT, such as instances=1 or 'instances>=1'")
        key, sign, value = found.groups()
        if key not in _KEYS:
            raise UsageError(f"--expect {text}: there is no {key!r}{did_you_mean(key, _KEYS)} ({one_of(_KEYS)})")
        if key in expect:
            raise UsageError(f"--expect {text}: {key} is given twice")
        expect[key] = _value(text, value) if sign == "=" else {"at_least": _value(text, value)}
        try:
            read_scenario({"expect": {key: expect[key]}}, operations())
        except ScenarioError as error:
            raise UsageError(f"--expect {text}: {error}") from None
    return expect


def _value(text: str, value: str) -> Any:
    try:
        return read(value, "--expect").data
    except SourceError as error:
        problem = error.problems[0].message if error.problems else str(error)
        raise UsageError(f"--expect {text}: {problem}") from None


class RunWithoutFaults:
    """The same program once more, in the same world without what goes wrong there."""

    def __init__(self, command: Sequence[str], settings: Settings, key: str | None) -> None:
        """Raises what scenarios and fixtures raise."""
        self._runs = ProgramRuns(
            tuple(command), settings, key=key, scenario=without_faults(load_scenarios(settings.scenario))
        )
        self._done: list[RunResult] = []

    def differences(self, states: WorldStates) -> list[str] | None:
        """Run the program, and return how the states that it has left under faults differ from these, one line for
        each difference; None if a signal ended the run.

        If there is a difference, it is run once more, to see which fields differ from run to run. Raises ProgramError.
        """
        if not self._run():
            return None
        if self._done[0].ended.status != 0:
            return [f"the same as without faults, but without faults CMD fails ({_ending(self._done[0])})"]
        if not list(_differing(self._done[0].states, states, NOTHING)):
            return []
        if not self._run():
            return None
        varying = varying_values(self._done[0].states, self._done[1].states)
        return list(_differing(self._done[0].states, states, varying))

    def _run(self) -> bool:
        async def once() -> None:
            executor = ThreadPoolExecutor(1, "cnx-mock run")
            try:
                self._done.append(await run_once(self._runs.config, NO_FAULTS, None, executor))
            finally:
                executor.shutdown(wait=False)

        return self._runs.complete(once)


def _ending(run: RunResult) -> str:
    status = run.ended.status
    return f"signal {-status}" if status is not None and status < 0 else f"exit status {status}"


def _differing(expected: WorldStates, actual: WorldStates, chance: Varying) -> Iterator[str]:
    """Yield a line for each name with another number of resources than expected, and for each changed resource."""
    wanted, found = count_resources(expected, chance), count_resources(actual, chance)
    difference = state_difference(wanted, found)
    numbers = _numbers(wanted), _numbers(found)
    for key in dict.fromkeys((each.noun, each.name) for each in (*difference.extra, *difference.missing)):
        noun, name = key
        yield f"{noun} {name}: {_left(numbers[1][key])}, and without faults {numbers[0][key]}"
    changed: Mapping[ResourceState, None] = dict.fromkeys(one for one, _ in difference.changed)
    for each in changed:
        yield f"{each}: another {', '.join(difference.fields())} than without faults"


def _numbers(counts: ResourceCounts) -> Counter[tuple[str, str]]:
    return Counter((each.noun, each.name) for each in counts.elements())


def _left(number: int) -> str:
    return f"{number} {'is' if number == 1 else 'are'} left"
