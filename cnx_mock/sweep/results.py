"""The results of a sweep so far: its calls, its cells, and the verdict on each. Here runs become verdicts."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field, fields, replace
from typing import Any, Literal

from cnx_mock.dataclass import dataclass
from cnx_mock.services import operations
from cnx_mock.sweep.compare import changed_calls, changed_state
from cnx_mock.sweep.journal import ShownCall, shown_calls
from cnx_mock.sweep.plan import Cell, SweepFault, in_shard, plan_cells, sample_cells
from cnx_mock.sweep.second_run import EndOfTwo, judge_two, last_call
from cnx_mock.sweep.state import ResourceCounts, count_resources, resources, varying_values
from cnx_mock.sweep.swept_call import SweptCall, swept_calls, unlike
from cnx_mock.sweep.trial import RunResult
from cnx_mock.sweep.varying import Varying
from cnx_mock.sweep.verdict import Evidence, Judgement, Verdict, best_of, judge

Entries = Sequence[Mapping[str, Any]]
"""A run's requests as `GET /_mock/requests` answers them, each with its `sandbox`, in order of arrival."""

HammeringCheck = Callable[[Entries, Sequence[Entries], bool], Sequence[str]]
"""Return what is wrong with a run's retries, one line for each finding. The second argument are the entries of the runs
without faults, the third is whether the run failed."""


Again = Literal["never", "after a crash", "after a failure"]
"""When the program is run a second time in the world of a cell: after it was killed, or after it has failed."""


KnownCall = tuple[str, int, str, str]
"""A call of an earlier report: its operation, its number, its path template, and its shape."""


def known_call(call: SweptCall) -> KnownCall:
    """Return a call as a report has it."""
    return call.operation, call.ordinal, call.path, call.shape


KnownCell = tuple[tuple[KnownCall, str], ...]
"""A cell of an earlier report: its calls, each with the name of the fault."""


def known_cell(cell: Cell) -> KnownCell:
    """Return a cell as a report has it."""
    return tuple((known_call(call), fault.name) for call, fault in cell.injections)


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """What to sweep, and how."""

    faults: Sequence[SweepFault]
    operations: Sequence[str] = ()
    """Patterns of operation names; none selects all operations."""
    pairs: bool = False
    """Whether to run two faults at two calls as well."""
    most: int | None = None
    """How many runs with faults there may be; None for any number."""
    seconds: float | None = None
    """The time limit of a run; None for one that depends on the runs without faults."""
    jobs: int = 1
    """How many runs are made at the same time."""
    allow_partial: bool = False
    """Whether a run that fails may leave what the run without faults leaves."""
    again: Again = "never"
    """When the program is run a second time."""
    all_calls: bool = False
    """Whether to sweep every call of several that are alike."""
    way: str = "faults"
    """What is swept: faults, crash, rerun, readings or race. Reports say so."""
    shard: tuple[int, int] | None = None
    """The part of the cells to run, as its number from 1 and how many parts there are; None for all."""
    since: Collection[KnownCell] = ()
    """The cells of an earlier report, which are not run again."""
    seed: int = 0
    """The seed that chooses the cells if there are more than `most`."""


@dataclass(frozen=True, kw_only=True)
class JudgedRun:
    """A run with faults, and the verdict on it."""

    judgement: Judgement
    status: int | None
    """The exit status; None if the run was ended at the time limit."""
    seconds: float
    """How long the run took."""
    resources: ResourceCounts
    """The resources that the run left."""
    calls: dict[str, int]
    """How often each operation was called."""
    hammering: Sequence[str]
    """What is wrong with the run's retries."""
    output: str
    """The end of the program's output."""
    undeletable: bool = False
    """Whether it left something because the fault refused every delete."""

    @property
    def verdict(self) -> Verdict:
        """The verdict on the run."""
        return self.judgement.verdict


@dataclass(frozen=True, kw_only=True)
class CellResult(JudgedRun):
    """The result of a cell."""

    cell: Cell
    fired: bool
    """Whether all faults of the cell were injected."""
    words: str = ""
    """The result as a whole sentence, if the cell is not a fault at a call, or if the result is from an earlier
    report."""
    cause: str = ""
    """What tells causes apart, if that is known: of a race, and if an earlier report has the result."""
    why_not: str = ""
    """Why there is no verdict, if there is none: the cell then counts as one whose fault was never injected."""
    journal: Sequence[ShownCall] = ()
    """The calls of the run."""
    end: EndOfTwo | None = None
    """The result of the second run, if the program was run twice; the status and the resources are those of the second
    run."""


@dataclass(kw_only=True)
class SweepResults:
    """What is known of a sweep so far. Call `plan`, then `compare`, then `judge_cell` for each cell."""

    options: SweepOptions
    check_hammering: HammeringCheck
    calls: list[SweptCall] = field(default_factory=list)
    """The calls of the run without faults."""
    cells: list[Cell] = field(default_factory=list)
    """The runs with faults that are to be made."""
    left_out: int = 0
    """How many more cells there would be without `options.most`."""
    alike: int = 0
    """How many more cells there would be if each of several calls that are alike was swept."""
    unchanged: int = 0
    """How many cells are not run because an earlier report has their calls."""
    results: dict[str, CellResult] = field(default_factory=dict)
    """The results so far, by the cells' names."""
    fault_free_journal: Sequence[ShownCall] = ()
    """The calls of a run without faults."""
    fault_free_resources: ResourceCounts = field(default_factory=Counter)
    """The resources that it left."""
    _judge: Callable[[Evidence], Judgement] = field(init=False, repr=False)
    _chance: Varying = field(init=False, repr=False)
    _fault_free: Sequence[Entries] = field(init=False, repr=False)
    _single: Sequence[ResourceCounts] = field(init=False, repr=False)
    _twice: EndOfTwo = field(init=False, repr=False)

    def plan(self, first: RunResult) -> None:
        """Take the calls of a run without faults, and plan the cells."""
        options = self.options
        self.calls = swept_calls(first.entries)
        everything = plan_cells(self.calls, options.faults, options.operations, pairs=options.pairs)
        some = self.calls if options.all_calls else unlike(self.calls)
        cells = plan_cells(some, options.faults, options.operations, pairs=options.pairs)
        new = [cell for cell in cells if known_cell(cell) not in options.since]
        self.cells = sample_cells(new, options.most, options.seed)
        self.alike = len(everything) - len(cells)
        self.unchanged = len(cells) - len(new)
        self.left_out = len(new) - len(self.cells)
        if options.shard is not None:
            self.cells = in_shard(self.cells, options.shard)

    def compare(self, first: RunResult, second: RunResult) -> Iterator[str]:
        """Take two runs without faults as what is expected from now on. What varies by chance between the two is
        normalised in every run. Yields a line for each difference and for each finding of the audit."""
        self._fault_free = first.entries, second.entries
        self.fault_free_journal = shown_calls(first.entries)
        self._chance = varying_values(first.states, second.states)
        start = count_resources(first.start, self._chance)
        expected = [self._evidence(each) for each in (first, second)]
        self._single = [each.resources for each in expected]
        self.fault_free_resources = self._single[0]
        partial = self.options.allow_partial
        self._judge = lambda actual: best_of(*(judge(each, actual, start, allow_partial=partial) for each in expected))
        differing = [*changed_calls(first.entries, second.entries), *changed_state(first.states, second.states)]
        if differing:
            yield "two runs without faults differ: calls are identified by operation and number"
            yield from (f"  {each}" for each in differing)
            yield "  random values are not compared; to compare them, use a seed or fixed names in CMD"
        for line in dict.fromkeys(line for each in expected for line in each.hammering):
            yield f"without any fault: {line}"

    @property
    def is_repeatable(self) -> bool:
        """Whether the two runs without faults left the same, without the fields that vary."""
        return self._single[0] == self._single[1]

    def compare_again(self, twice: RunResult) -> tuple[Judgement, EndOfTwo]:
        """Take two runs in one world, without faults, as what a second run may do. Call it after `compare`. Return the
        verdict on them: "recovered" for a program that is meant to be run twice."""
        self._twice = self._end_of_two(twice)
        once = EndOfTwo(status=0, resources=self._single[0])
        return judge_two(self._single, once, self._twice), self._twice

    def judge_cell(self, cell: Cell, run: RunResult, *, allowed: bool = True) -> CellResult:
        """Judge a cell's run, and keep the result. `allowed` is whether a failure was of an expected kind."""
        rules = [rule["id"] for rule in cell.rules]
        lasting = rules if cell.lasts else ()
        judged = self.judge_run(run, lasting, allowed=allowed, barred=cell.bars and run.fired(rules))
        end = None if run.first is None else self._end_of_two(run)
        if end is not None:
            judged = replace(judged, judgement=judge_two(self._single, self._twice, end))
        result = CellResult(
            cell=cell,
            fired=run.fired(rules),
            journal=shown_calls(run.entries, None if end is None else run.requests_of_first),
            end=end,
            **{each.name: getattr(judged, each.name) for each in fields(judged)},
        )
        self.results[cell.name] = result
        return result

    def judge_run(
        self, run: RunResult, lasting: Sequence[str] = (), *, allowed: bool = True, barred: bool = False
    ) -> JudgedRun:
        """Judge a run with faults. `lasting` are the ids of the rules that may refuse a call to the end; `allowed` is
        whether a failure was of an expected kind; `barred` is whether the run could not delete anything at its end."""
        evidence = self._evidence(run, lasting, allowed, barred)
        return JudgedRun(
            judgement=self._judge(evidence),
            status=run.ended.status,
            seconds=run.ended.seconds,
            resources=evidence.resources,
            calls=dict(Counter(each["operation"] for each in run.entries if each["operation"])),
            hammering=evidence.hammering,
            undeletable=bool(evidence.undeletable),
            output=run.ended.output,
        )

    def _end_of_two(self, run: RunResult) -> EndOfTwo:
        found = list(resources(run.states, self._chance))
        unannounced = Counter(each for each in found if each.id in run.unannounced)
        left = Counter(found)
        paths = {operation.name: operation.path for operation in operations()}
        return EndOfTwo(
            status=run.ended.status,
            last=last_call(run.entries[run.requests_of_first :], paths.get),
            resources=left - ((left - self._single[0]) & unannounced),
        )

    def _evidence(
        self, run: RunResult, lasting: Sequence[str] = (), allowed: bool = True, barred: bool = False
    ) -> Evidence:
        refused = run.created if barred else run.refused_deletes(lasting)
        unannounced = run.unannounced
        found = list(resources(run.states, self._chance))
        return Evidence(
            status=run.ended.status,
            resources=Counter(found),
            creates=run.creates,
            own=Counter(each for each in found if each.id in run.created),
            undeletable=Counter(each for each in found if each.id in refused),
            unannounced=Counter(each for each in found if each.id in unannounced),
            hammering=self.check_hammering(run.entries, self._fault_free, run.ended.status != 0),
            allowed=allowed,
        )
