"""Sweeps that never ran: cells, what came of them, and reports, built without a process."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import Cell, plan_cells, select_faults
from cnx_mock.sweep.report.json import Baseline, SweepReport
from cnx_mock.sweep.results import CellResult, SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.state import ResourceState, StateDifference
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.sweep.trial import RunConfig
from cnx_mock.sweep.verdict import FAILING, Judgement, Verdict

CREATE = SweptCall(operation="instances.create", ordinal=1, method="POST", path="/v1/instances", commits=True)
PLANS = SweptCall(operation="plans.list", ordinal=1, method="GET", path="/v1/plans")


class Silence:
    """A reporter for a sweep that nobody watches."""

    def message(self, line: str) -> None: ...

    def planned(self, sweep: Sweep) -> None: ...

    def judged(self, result: CellResult) -> None: ...


def resource(name: str, kind: str = "instances", **fields: object) -> ResourceState:
    """A resource that a run left."""
    return ResourceState(kind, json.dumps({"name": name, **fields}, sort_keys=True), name)


def cells(*calls: SweptCall, faults: Sequence[str] = ("error", "reset"), pairs: bool = False) -> list[Cell]:
    """The cells of these calls and faults."""
    return plan_cells(calls, select_faults(faults), pairs=pairs)


def result(
    cell: Cell | None = None,
    verdict: Verdict = "survived",
    *,
    left: Sequence[ResourceState] = (),
    kept: Sequence[ResourceState] = (),
    difference: StateDifference | None = None,
    **more: Any,
) -> CellResult:
    """What came of a cell; unless said otherwise, nothing bad."""
    given: dict[str, Any] = {
        "status": 0,
        "seconds": 1.0,
        "fired": True,
        "resources": Counter(left),
        "calls": {},
        "hammering": (),
        "output": "",
    }
    return CellResult(
        cell=cell or cells(CREATE, faults=["reset"])[0],
        judgement=Judgement(
            verdict=verdict, difference=difference or StateDifference(), left=tuple(left), kept=tuple(kept)
        ),
        **{**given, **more},
    )


def report(
    *results: CellResult,
    command: Sequence[str] = ("deploy",),
    planned: Sequence[Cell] | None = None,
    left_out: int = 0,
    failing: Sequence[Verdict] = FAILING,
    baseline: Baseline | None = None,
) -> SweepReport:
    """The report of a sweep with these results; `planned` has more cells than have results."""
    config = RunConfig(command=command, settings=Settings(), environment=lambda sockets, key: {})
    options = SweepOptions(faults=select_faults([]))
    chosen = list(planned or (each.cell for each in results))
    sweep = Sweep(
        options=options,
        check_hammering=lambda *_: [],
        config=config,
        progress=Silence(),
        calls=list(dict.fromkeys(call for cell in chosen for call, _ in cell.injections)),
        cells=chosen,
        left_out=left_out,
        results={each.cell.name: each for each in results},
    )
    line = " ".join(["cnx-mock run --", *command])
    return SweepReport(sweep=sweep, failing=failing, baseline=baseline or {}, reproduce=lambda result: line)
