"""Reproduce a cell: write its scenario file, and give the command that runs the program under it."""

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from cnx_mock.dataclass import dataclass
from cnx_mock.services import operations
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import CRASHES, FAULTS, NO_FAULTS, Cell
from cnx_mock.sweep.report.json import SweepReport
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.verdict import SURVIVING
from cnx_mock.text.control_characters import visible_line
from cnx_mock.text.files import check_file_name, make_folder, replace_file
from cnx_mock.text.live_keys import masked_text

POLLS = ("--provisioning", f"polls:{NO_FAULTS['provisioning']['polls']}")
"""The option of `cnx-mock run` by which resources become ready as in a sweep."""

_FAULTS = {fault.name for fault in FAULTS}


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """The folder for scenario files, and what else the command needs."""

    folder: Path
    """The folder for the files. It is created with the first one."""
    command: Sequence[str]
    """The program and its arguments."""
    scenarios: Sequence[str] = ()
    """The scenarios that applied to every run."""
    options: Sequence[str] = ()
    """Further options of `cnx-mock run`, such as the fixture."""

    def line(self, result: CellResult) -> str:
        """Return the command that reproduces a cell, on one line."""
        fault, call = result.cell.fault, result.cell.call
        files = (
            (*self.scenarios,) if fault in CRASHES else (str(self.folder / _file_name(result.cell)), *self.scenarios)
        )
        given = [word for name in files for word in ("--scenario", name)]
        if fault in CRASHES:
            moment = "" if fault.at == "before" else ":after"
            given += [*POLLS, "--crash-at", f"{call.operation}#{call.ordinal}{moment}"]
        elif result.end is not None:
            given.append("--rerun")
        return visible_line(shlex.join(["cnx-mock", "run", *given, *self.options, "--", *self.command]))

    def reading_line(self, reading: str) -> str:
        """Return the command that runs the program under a reading, on one line."""
        scenarios = [word for name in self.scenarios for word in ("--scenario", name)]
        words = ["cnx-mock", "run", "--reading", reading, *POLLS, *scenarios, *self.options]
        return visible_line(shlex.join([*words, "--", *self.command]))

    def race_line(self, schedule: str, other: Sequence[str] | None) -> str:
        """Return the command that runs a race under a schedule, on one line; `other` is the second program, None for a
        second copy of the first one."""
        scenarios = [word for name in self.scenarios for word in ("--scenario", name)]
        with_ = [] if other is None else ["--with", shlex.join(other)]
        words = ["cnx-mock", "run", "--race", *with_, "--schedule", schedule, *scenarios, *POLLS, *self.options]
        return visible_line(shlex.join([*words, "--", *self.command]))


def line_in(folder: Path, cell: Cell, line: str) -> str:
    """Return the `line` of an earlier report that reproduces a cell, with the cell's file in this folder. The report
    may come from another machine, and names the folder there."""
    try:
        words = shlex.split(line)
    except ValueError:  # somebody edited the report
        return line
    for number, (option, value) in enumerate(pairwise(words), 1):
        if option == "--":
            break
        if option == "--scenario" and re.split(r"[/\\]", value)[-1] == _file_name(cell):
            return visible_line(shlex.join([*words[:number], str(folder / _file_name(cell)), *words[number + 1 :]]))
    return line


def write_scenarios(report: SweepReport, folder: Path) -> None:
    """Write the scenario file of each cell that was not survived. A crash, a race and a reading have no file. Raises
    OSError if that is impossible, and UsageError for a live key in the path."""
    known = {operation.name for operation in operations()}
    for result in report.results:
        cell = result.cell
        has_file = all(fault.name in _FAULTS and call.operation in known for call, fault in cell.injections)
        if has_file and result.verdict not in SURVIVING:
            write_scenario(folder / _file_name(cell), [sentence(result), report.reproduce(result)], cell.document())


def _file_name(cell: Cell) -> str:
    return f"{cell.name}.yaml"


def write_scenario(path: Path, comments: Sequence[str], document: Mapping[str, Any]) -> None:
    """Write a scenario file without live keys, with the comments at its top and one key of a rule on each line. Its
    folder is created if it does not exist. Raises OSError if that is impossible, and UsageError for a live key in the
    path."""
    check_file_name(path)
    make_folder(path.parent)
    above = "".join(f"# {visible_line(comment)}\n" for comment in comments)
    below = yaml.safe_dump(dict(document), sort_keys=False, default_flow_style=None, width=120)
    replace_file(path, masked_text(above + below).encode("utf-8", "backslashreplace"))
