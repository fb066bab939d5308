"""The report of a sweep as plain data: the JSON report, and what the other reports are made from."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cnx_mock import __version__
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import BaselineError
from cnx_mock.sweep.causes import Cause, cause_of, causes
from cnx_mock.sweep.explanation import sentence, what_happened
from cnx_mock.sweep.plan import Cell
from cnx_mock.sweep.report.matrix import counts
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.state import ResourceCounts
from cnx_mock.sweep.verdict import SURVIVING, VERDICTS, Verdict

CellIdentity = tuple[tuple[str, int, str], ...]
"""What identifies a cell in two reports: operation, ordinal and fault of each of its injections."""
Baseline = Mapping[CellIdentity, str]
"""The verdicts of an earlier report."""


@dataclass(frozen=True, kw_only=True)
class SweepReport:
    """A sweep, and which of its verdicts count as failures."""

    sweep: Sweep
    failing: Collection[Verdict]
    """The verdicts that make the sweep fail."""
    baseline: Baseline
    """The cells of an earlier report. A bad cell that had the same verdict there is accepted."""
    reproduce: Callable[[CellResult], str]
    """Return the command that reproduces a cell."""
    run_options: Sequence[str] = ()
    """The options that every run has, such as the fixture, as words of a command line."""

    @property
    def results(self) -> list[CellResult]:
        """The results so far, in the order of the plan."""
        found = (self.sweep.results.get(cell.name) for cell in self.sweep.cells)
        return [result for result in found if result is not None]

    @property
    def causes(self) -> list[Cause]:
        """What was not survived, grouped by cause, the worst verdict first."""
        return causes(self.results)

    def makes_fail(self, cause: Cause) -> bool:
        """Return whether the sweep fails because of a cell with this cause."""
        return any(map(self.fails, cause.results))

    def is_known(self, cause: Cause) -> bool:
        """Return whether all cells with this cause are accepted."""
        return all(map(self.accepted, cause.results))

    def accepted(self, result: CellResult) -> bool:
        """Return whether a cell is bad, and had the same verdict in the earlier report."""
        return result.verdict in self.failing and self.baseline.get(identity(result.cell)) == result.verdict

    def fails(self, result: CellResult) -> bool:
        """Return whether the sweep fails because of a cell."""
        return result.verdict in self.failing and not self.accepted(result)

    def document(self) -> dict[str, Any]:
        """Return the JSON report as plain data."""
        sweep = self.sweep
        return {
            "version": __version__,
            "command": list(sweep.config.command),
            "seed": sweep.options.seed,
            "fail_on": sorted(self.failing, key=VERDICTS.index),
            "baseline_seconds": round(sweep.fault_free_seconds, 3),
            "timeout_seconds": round(sweep.limit, 3),
            "options": self.options(),
            "shard": None if sweep.options.shard is None else "{}/{}".format(*sweep.options.shard),
            "left_out": sweep.left_out,
            "alike_left_out": sweep.alike,
            "unchanged_left_out": sweep.unchanged,
            "verdicts": counts(self.results),
            "calls": [
                {
                    "operation": call.operation,
                    "ordinal": call.ordinal,
                    "method": call.method,
                    "path": call.path,
                    "shape": call.shape,
                    **({"program": call.program} if call.program else {}),
                    **({"name": call.name} if call.name else {}),
                }
                for call in sweep.calls
            ],
            "faults": [{"name": each.name, "description": each.description} for each in sweep.options.faults],
            "without_faults": {
                "calls": [asdict(each) for each in sweep.fault_free_journal],
                "left": _left(sweep.fault_free_resources),
            },
            "findings": [self._finding(cause) for cause in self.causes],
            "cells": [self._cell(result) for result in self.results],
        }

    def options(self) -> dict[str, Any]:
        """Return what two reports must have in common to be put together, beside the program, the version and the
        seed."""
        options = self.sweep.options
        return {
            "way": options.way,
            "faults": [] if options.way in ("race", "readings") else [each.name for each in options.faults],
            "operations": list(options.operations),
            "pairs": options.pairs,
            "max_runs": options.most,
            "all_calls": options.all_calls,
            "allow_partial": options.allow_partial,
            "run": list(self.run_options),
        }

    def _finding(self, cause: Cause) -> dict[str, Any]:
        return {
            "verdict": cause.verdict,
            "message": cause.sentence,
            "cells": [result.cell.name for result in cause.results],
            "reproduce": self.reproduce(cause.clearest),
            "fails": self.makes_fail(cause),
        }

    def _cell(self, result: CellResult) -> dict[str, Any]:
        explained = result.verdict not in SURVIVING
        first, *others = map(_injection, identity(result.cell))
        return {
            **first,
            **({"and": others} if others else {}),
            "verdict": result.verdict,
            "reproduce": self.reproduce(result) if explained else None,
            "message": sentence(result) if explained else None,
            "accepted": self.accepted(result),
            "struck": result.fired,
            "no_verdict": result.why_not or None,
            "exit_status": result.status,
            "seconds": round(result.seconds, 3),
            "name": result.cell.name,
            "title": what_happened(result),
            "cause": cause_of(result) if explained else None,
            "left": _left(result.resources),
            "calls": [asdict(each) for each in result.journal],
            "output": result.output,
        }


def _left(resources: ResourceCounts) -> list[dict[str, str]]:
    return [{"kind": each.kind, "name": each.name} for each in resources.elements()]


def json_report(report: SweepReport) -> bytes:
    """Return the JSON report as UTF-8. Bytes of the command that are not UTF-8 become escapes of JSON."""
    text = json.dumps(report.document(), indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _injection(identity: tuple[str, int, str]) -> dict[str, Any]:
    return dict(zip(("operation", "ordinal", "fault"), identity, strict=True))


def identity(cell: Cell) -> CellIdentity:
    """Return what identifies a cell in two reports."""
    return tuple((call.operation, call.ordinal, fault.name) for call, fault in cell.injections)


def read_baseline(document: Any) -> Baseline:
    """Return the verdicts of an earlier JSON report. Raises BaselineError if the document is not one."""
    try:
        found = {}
        for cell in document["cells"]:
            injections = [cell, *cell.get("and", [])]
            identity = tuple((each["operation"], int(each["ordinal"]), each["fault"]) for each in injections)
            found[identity] = str(cell["verdict"])
        return found
    except (KeyError, TypeError, ValueError, AttributeError):
        message = "this is not a JSON report of a sweep: it has no cells with operation, ordinal, fault and verdict"
        raise BaselineError(message) from None
