"""All that there is to report of a sweep, as plain data: the JSON report, and what the other forms are made from."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cnx_mock import __version__
from cnx_mock.errors import BaselineError
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import Cell
from cnx_mock.sweep.report.matrix import counts
from cnx_mock.sweep.results import Result
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.verdict import GOOD, VERDICTS, Verdict

Known = Mapping[tuple[Any, ...], str]
"""Verdicts of an earlier report by what tells cells apart."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A sweep, and what is thought of it."""

    sweep: Sweep
    failing: Collection[Verdict]
    """The verdicts for which it fails."""
    known: Known
    """Bad cells that are accepted."""
    line: Callable[[Result], str]
    """The command that shows a cell again."""

    @property
    def results(self) -> list[Result]:
        """What is known, in the order of the plan."""
        found = (self.sweep.results.get(cell.name) for cell in self.sweep.cells)
        return [result for result in found if result is not None]

    def accepted(self, result: Result) -> bool:
        """Whether an earlier report has it already, with the same verdict."""
        return result.verdict in self.failing and self.known.get(_identity(result.cell)) == result.verdict

    def fails(self, result: Result) -> bool:
        """Whether the sweep fails for it."""
        return result.verdict in self.failing and not self.accepted(result)

    def document(self) -> dict[str, Any]:
        """The JSON report."""
        sweep = self.sweep
        return {
            "version": __version__,
            "command": list(sweep.stage.command),
            "seed": sweep.wish.seed,
            "fail_on": sorted(self.failing, key=VERDICTS.index),
            "baseline_seconds": round(sweep.baseline_seconds, 3),
            "timeout_seconds": round(sweep.limit, 3),
            "left_out": sweep.left_out,
            "verdicts": counts(self.results),
            "calls": [
                {"operation": call.operation, "ordinal": call.ordinal, "method": call.method, "path": call.path}
                for call in sweep.calls
            ],
            "cells": [self._cell(result) for result in self.results],
        }

    def _cell(self, result: Result) -> dict[str, Any]:
        bad = result.verdict not in GOOD
        more = [_strike(call.operation, call.ordinal, fault.name) for call, fault in result.cell.strikes[1:]]
        return {
            **_strike(result.cell.call.operation, result.cell.call.ordinal, result.cell.fault.name),
            **({"and": more} if more else {}),
            "verdict": result.verdict,
            "reproduce": self.line(result) if bad else None,
            "message": sentence(result) if bad else None,
            "accepted": self.accepted(result),
            "struck": result.fired,
            "exit_status": result.status,
            "seconds": round(result.seconds, 3),
        }


def _strike(operation: str, ordinal: int, fault: str) -> dict[str, Any]:
    return {"operation": operation, "ordinal": ordinal, "fault": fault}


def _identity(cell: Cell) -> tuple[Any, ...]:
    return tuple((call.operation, call.ordinal, fault.name) for call, fault in cell.strikes)


def known_cells(document: Any) -> Known:
    """The verdicts of an earlier JSON report. Raises BaselineError."""
    try:
        found = {}
        for cell in document["cells"]:
            strikes = [cell, *cell.get("and", [])]
            identity = tuple((each["operation"], int(each["ordinal"]), each["fault"]) for each in strikes)
            found[identity] = str(cell["verdict"])
        return found
    except (KeyError, TypeError, ValueError, AttributeError):
        message = "it is no JSON report of a sweep: it has no cells with operation, ordinal, fault and verdict"
        raise BaselineError(message) from None
