"""A sweep as far as it is known: its calls, its cells, and what came of each; and how a run is judged."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnx_mock.sweep.compare import changed_calls, changed_state
from cnx_mock.sweep.plan import Call, Cell, Fault, planned, recorded, sampled
from cnx_mock.sweep.state import IgnoredFields, ResourceCounts, count_resources, varying_fields
from cnx_mock.sweep.trial import Trial
from cnx_mock.sweep.verdict import Judgement, Run, Verdict, judge, milder

Hammers = Callable[[Sequence[Mapping[str, Any]]], Sequence[str]]
"""What is to be said of a run's retries, one line a finding; entries are as `GET /_mock/requests` shows them, each with
the `sandbox` that it is of, in order of arrival."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be swept, and how."""

    faults: Sequence[Fault]
    operations: Sequence[str] = ()
    pairs: bool = False
    most: int | None = None
    """At most so many runs with faults."""
    seconds: float | None = None
    """The time limit of a run."""
    jobs: int = 1
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a cell."""

    cell: Cell
    judgement: Judgement
    status: int | None
    """The exit status; None where the run was ended at the limit."""
    seconds: float
    fired: bool
    """Whether the fault struck at all."""
    resources: ResourceCounts
    """What the run left."""
    calls: dict[str, int]
    """How often each operation was called."""
    hammering: Sequence[str]
    words: str
    """The end of what the program said."""

    @property
    def verdict(self) -> Verdict:
        """Its verdict."""
        return self.judgement.verdict


@dataclass(kw_only=True)
class Swept:
    """What is known of a sweep so far."""

    wish: Wish
    hammers: Hammers
    calls: list[Call] = field(default_factory=list)
    """The calls of the run without faults."""
    cells: list[Cell] = field(default_factory=list)
    """The runs to be made."""
    left_out: int = 0
    """How many more there would be."""
    results: dict[str, Result] = field(default_factory=dict)
    """What came of the cells, by their names."""
    _judge: Callable[[Run], Judgement] = field(init=False)
    _aside: IgnoredFields = field(init=False)

    def plan(self, first: Trial) -> None:
        """Take the calls from a run without faults, and make the cells."""
        wish = self.wish
        self.calls = recorded(first.entries)
        cells = planned(self.calls, wish.faults, wish.operations, pairs=wish.pairs)
        self.cells = sampled(cells, wish.most, wish.seed)
        self.left_out = len(cells) - len(self.cells)

    def compare(self, first: Trial, second: Trial) -> Iterator[str]:
        """Judge by two runs without faults from now on: what differs between them is left aside, and said here."""
        self._aside = varying_fields(first.states, second.states)
        start = count_resources([*first.start], self._aside)
        expected = [
            Run(
                status=each.ended.status,
                resources=count_resources(each.states, self._aside),
                creates=each.creates,
                hammering=self.hammers(each.entries),
            )
            for each in (first, second)
        ]
        self._judge = lambda run: milder(*(judge(each, run, start) for each in expected))
        differing = [*changed_calls(first.entries, second.entries), *changed_state(first.states, second.states)]
        if differing:
            yield "two runs without faults differ: calls are told apart by operation and number"
            yield from (f"  {each}" for each in differing)
            yield "  what differs by chance is left aside; a seed or fixed names in CMD would be judged too"
        for line in dict.fromkeys(line for run in expected for line in run.hammering):
            yield f"without any fault: {line}"

    def judged(self, cell: Cell, trial: Trial, *, allowed: bool = True) -> Result:
        """What came of a cell; it is known from now on. `allowed` is whether a failure was of an expected kind."""
        hammering = self.hammers(trial.entries)
        found = count_resources(trial.states, self._aside)
        run = Run(
            status=trial.ended.status, resources=found, creates=trial.creates, hammering=hammering, allowed=allowed
        )
        result = Result(
            cell=cell,
            judgement=self._judge(run),
            status=trial.ended.status,
            seconds=trial.ended.seconds,
            fired=trial.fired([rule["id"] for rule in cell.rules]),
            resources=found,
            calls=dict(Counter(each["operation"] for each in trial.entries if each["operation"])),
            hammering=hammering,
            words=trial.ended.words,
        )
        self.results[cell.name] = result
        return result
