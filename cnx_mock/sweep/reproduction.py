"""How a cell is shown again: a scenario file, and the command that runs under it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.results import Result


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Where scenario files go, and what else the command needs."""

    folder: Path
    """Where the files are written; made when the first one is."""
    command: Sequence[str]
    """The program and its arguments."""
    scenarios: Sequence[str] = ()
    """Scenarios that every run had."""
    options: Sequence[str] = ()
    """Further options, such as the fixture."""

    def path(self, result: Result) -> Path:
        """The file of a cell."""
        return self.folder / f"{result.cell.name}.yaml"

    def write(self, result: Result) -> None:
        """Write the scenario in which the cell happens. Raises OSError."""
        write_scenario(self.path(result), [sentence(result), self.line(result)], result.cell.document())

    def line(self, result: Result) -> str:
        """The command that shows it again."""
        scenarios = [word for name in (str(self.path(result)), *self.scenarios) for word in ("--scenario", name)]
        return _line(shlex.join(["cnx-mock", "run", *scenarios, *self.options, "--", *self.command]))


def write_scenario(path: Path, comments: Sequence[str], document: Mapping[str, Any]) -> None:
    """Write a scenario as a person would, flat rules with one key a line, below a comment. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    above = "".join(f"# {_line(comment)}\n" for comment in comments)
    below = yaml.safe_dump(dict(document), sort_keys=False, default_flow_style=None, width=120)
    path.write_text(above + below, encoding="utf-8")


def _line(text: str) -> str:
    """On one line, whatever the program's arguments are."""
    return text.replace("\r", "\\r").replace("\n", "\\n")
