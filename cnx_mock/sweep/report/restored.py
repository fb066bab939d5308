"""Earlier JSON reports, read back: to merge those of several machines, and to continue from an earlier one."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cnx_mock.errors import UsageError
from cnx_mock.settings import Settings
from cnx_mock.sweep.journal import ShownCall
from cnx_mock.sweep.plan import FAULTS, Cell, SweepFault
from cnx_mock.sweep.report.json import SweepReport, identity
from cnx_mock.sweep.report.stored import check_report
from cnx_mock.sweep.results import CellResult, SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.state import ResourceCounts, ResourceState
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.sweep.trial import RunConfig
from cnx_mock.sweep.verdict import VERDICTS, Judgement

_SAME = (
    ("command", "the programs"),
    ("version", "the versions of cnx-mock"),
    ("seed", "the seeds"),
    ("options", "the options"),
    ("fail_on", "the verdicts that fail"),
)
"""The fields that must be the same in reports that are merged, each with its name in a message."""


class _SilentReporter:
    """Nobody watches a sweep that is over."""

    def message(self, line: str) -> None: ...

    def planned(self, sweep: Sweep) -> None: ...

    def judged(self, result: CellResult) -> None: ...


def merged(documents: Sequence[tuple[str, Mapping[str, Any]]]) -> SweepReport:
    """Return one report for the shards of one sweep, each document with the name of its file.

    Raises BaselineError for what is not a report, and UsageError for reports that do not belong together.
    """
    reports = [restored(file, document) for file, document in documents]
    name, first = documents[0]
    for other, document in documents[1:]:
        for key, words in _SAME:
            if document.get(key) != first.get(key):
                raise UsageError(f"{other} does not belong to {name}: {words} differ")
    _check_shards(documents)
    lines = {each.cell.name: report.reproduce(each) for report in reports for each in report.results}
    whole = reports[0]
    for report in reports[1:]:
        for cell in report.sweep.cells:
            if cell.name not in whole.sweep.results:
                whole.sweep.cells.append(cell)
                whole.sweep.results[cell.name] = report.sweep.results[cell.name]
        for call in report.sweep.calls:
            if call not in whole.sweep.calls:
                whole.sweep.calls.append(call)
    accepted = {each: verdict for report in reports for each, verdict in report.baseline.items()}
    whole.sweep.options = replace(whole.sweep.options, shard=None)
    return replace(whole, reproduce=lambda result: lines[result.cell.name], baseline=accepted)


def _check_shards(documents: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Raise UsageError for a shard that is missing or there twice."""
    found = [str(document.get("shard") or "1/1") for _, document in documents]
    counts = {each.partition("/")[2] for each in found}
    if len(counts) > 1:
        raise UsageError(f"these are shards of different sweeps: {', '.join(sorted(set(found)))}")
    [of] = counts
    numbers = Counter(int(each.partition("/")[0]) for each in found)
    twice = [f"{number}/{of}" for number, times in sorted(numbers.items()) if times > 1]
    missing = [f"{number}/{of}" for number in range(1, int(of) + 1) if number not in numbers]
    problems = [
        f"{', '.join(shards)} {words}"
        for shards, words in ((twice, "is given twice"), (missing, "is missing"))
        if shards
    ]
    if problems:
        raise UsageError(f"the shards are not complete: {'; '.join(problems)}")


def restored(file: str, document: Any) -> SweepReport:
    """Return the report that the JSON report in a file was made from, as far as it is shown again. Raises BaselineError
    if it is not one of this version."""
    check_report(file, document)
    return _report(document)


def _report(document: Mapping[str, Any]) -> SweepReport:
    options, shard = document["options"], document["shard"]
    known = {each.name: each for each in FAULTS}
    faults = {
        each["name"]: known.get(each["name"]) or SweepFault(each["name"], each["description"], _never, {})
        for each in document["faults"]
    }
    calls = {(each["operation"], each["ordinal"]): _call(each) for each in document["calls"]}
    results = [_result(each, calls, faults) for each in document["cells"]]
    parts = None if shard is None else tuple(map(int, shard.split("/")))
    sweep = Sweep(
        config=RunConfig(command=document["command"], settings=Settings(), environment=lambda sockets, key: {}),
        options=SweepOptions(
            faults=list(faults.values()),
            operations=options["operations"],
            pairs=options["pairs"],
            most=options["max_runs"],
            all_calls=options["all_calls"],
            allow_partial=options["allow_partial"],
            way=options["way"],
            shard=None if parts is None else (parts[0], parts[1]),
            seed=document["seed"],
        ),
        check_hammering=lambda *_: (),
        progress=_SilentReporter(),
        fault_free_seconds=document["baseline_seconds"],
        limit=document["timeout_seconds"],
    )
    sweep.calls = list(calls.values())
    sweep.cells = [each.cell for each in results]
    sweep.results = {each.cell.name: each for each in results}
    sweep.left_out, sweep.alike = document["left_out"], document["alike_left_out"]
    sweep.unchanged = document["unchanged_left_out"]
    sweep.fault_free_journal = _journal(document["without_faults"]["calls"])
    sweep.fault_free_resources = _left(document["without_faults"]["left"])
    stored = {each.cell.name: cell for each, cell in zip(results, document["cells"], strict=True)}
    return SweepReport(
        sweep=sweep,
        failing=[verdict for verdict in VERDICTS if verdict in document["fail_on"]],
        baseline={identity(each.cell): each.verdict for each in results if stored[each.cell.name]["accepted"]},
        reproduce=lambda result: stored[result.cell.name]["reproduce"] or "",
        run_options=options["run"],
    )


def _result(
    cell: Mapping[str, Any], calls: Mapping[tuple[str, int], SweptCall], faults: Mapping[str, SweepFault]
) -> CellResult:
    injections = []
    for each in (cell, *cell.get("and", [])):
        call = calls[each["operation"], each["ordinal"]]
        injections.append(
            (call, replace(faults[each["fault"]], title=cell["title"].replace("{", "{{").replace("}", "}}")))
        )
    return CellResult(
        cell=Cell(tuple(injections[:1] + [(call, replace(fault, title="")) for call, fault in injections[1:]])),
        judgement=Judgement(verdict=next(each for each in VERDICTS if each == cell["verdict"])),
        status=cell["exit_status"],
        seconds=cell["seconds"],
        resources=_left(cell["left"]),
        calls={},
        hammering=(),
        output=cell["output"],
        fired=cell["struck"],
        words=cell["message"] or "",
        why_not=cell["no_verdict"] or "",
        cause=cell["cause"] or "",
        journal=_journal(cell["calls"]),
    )


def _call(document: Mapping[str, Any]) -> SweptCall:
    keys = ("operation", "ordinal", "method", "path", "shape")
    more = {key: document[key] for key in ("program", "name") if key in document}
    return SweptCall(**{key: document[key] for key in keys}, **more)


def _journal(calls: Sequence[Mapping[str, Any]]) -> tuple[ShownCall, ...]:
    return tuple(ShownCall(**{**each, "faults": tuple(each["faults"])}) for each in calls)


def _left(resources: Sequence[Mapping[str, str]]) -> ResourceCounts:
    return Counter(ResourceState(each["kind"], json.dumps({"name": each["name"]}), each["name"]) for each in resources)


def _never(call: Any) -> bool:
    return False
