"""One sweep from the command line: its options in, the matrix and the reports out."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cnx_mock.audit.audit import hammered
from cnx_mock.audit.call import calls_of
from cnx_mock.cli.options import PROGRAM, words
from cnx_mock.cli.program_runs import INTERRUPTED, Staging
from cnx_mock.cli.sweep_progress import audience, columns, wants_colour
from cnx_mock.errors import ProgramError, SweepError, UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.services import operations
from cnx_mock.settings import Settings
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import SweepFault, check_operations, select_faults
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.html import html_report
from cnx_mock.sweep.report.json import Baseline, SweepReport, read_baseline
from cnx_mock.sweep.report.junit import junit_report
from cnx_mock.sweep.report.matrix import bad_first
from cnx_mock.sweep.reproduction import Reproduction
from cnx_mock.sweep.results import CellResult, SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.verdict import FAILING, GOOD, VERDICTS, Verdict
from cnx_mock.text.suggestions import did_you_mean, one_of

FOUND = 1
"""Exit status for a bad cell."""

_FORMS: dict[str, Callable[[SweepReport], str | bytes]] = {
    ".html": html_report,
    ".htm": html_report,
    ".json": lambda facts: json.dumps(facts.document(), indent=2, ensure_ascii=False) + "\n",
    ".xml": junit_report,
}


class Target:
    """A report's file, known to be writable before anything runs. Raises UsageError."""

    def __init__(self, name: str) -> None:
        self._name, self._path = name, Path(name)
        self._form = _FORMS.get(self._path.suffix.lower())
        if self._form is None:
            raise UsageError(f"{name}: a report's name ends in .html, .json, or .xml for JUnit")
        folder = self._path.parent
        if self._path.is_dir() or not folder.is_dir():
            raise UsageError(f"{name}: {'it is a folder' if self._path.is_dir() else f'there is no folder {folder}'}")
        if not os.access(self._path if self._path.exists() else folder, os.W_OK):
            raise UsageError(f"{name}: it is not yours to write")

    def write(self, facts: SweepReport) -> None:
        """Write it. Raises UsageError where that is impossible after all."""
        assert self._form is not None, "its suffix was looked at before"
        content = self._form(facts)
        try:
            self._path.write_bytes(content if isinstance(content, bytes) else content.encode())
        except OSError as error:
            raise UsageError(f"{self._name}: {error.strerror or error}") from None


class Sweeping:
    """A sweep with its options. Raises UsageError, SweepPlanError, BaselineError, and what scenarios and settings
    raise."""

    def __init__(
        self,
        *,
        command: tuple[str, ...],
        settings: Settings,
        faults: Sequence[str],
        operations: Sequence[str],
        pairs: bool,
        max_runs: int | None,
        timeout: float | None,
        jobs: int,
        targets: Sequence[Target],
        fail_on: Sequence[str],
        baseline: str | None,
        folder: str,
    ) -> None:
        _check(operations)
        scenario = load_scenarios(settings.scenario) if settings.scenario else None
        self._staging = Staging(command, settings, scenario=scenario)
        chosen: list[SweepFault] = select_faults(faults)
        self._options = SweepOptions(
            faults=chosen,
            operations=operations,
            pairs=pairs,
            most=max_runs,
            seconds=timeout,
            jobs=jobs,
            seed=int(settings.seed),
        )
        self._failing = _failing(fail_on)
        self._known = _earlier(baseline) if baseline else {}
        self._targets = targets
        self._reproduction = Reproduction(
            folder=_folder(folder), command=command, scenarios=settings.scenario, options=_run_options(settings)
        )

    def status(self) -> int:
        """Do it, show it, write it down: the exit status. Raises UsageError."""
        watching = audience()
        sweep = Sweep(config=self._staging.config, options=self._options, check_hammering=_hammering, progress=watching)
        try:
            complete = self._staging.complete(sweep.run)
        except SweepError as error:
            raise UsageError(str(error)) from None
        except ProgramError as error:
            watching.message(str(error))
            return error.status
        finally:
            watching.close()
        facts = SweepReport(sweep=sweep, failing=self._failing, baseline=self._known, reproduce=self._reproduction.line)
        self._show(facts, complete)
        for result in facts.results:
            if result.verdict not in GOOD:
                self._write(result)
        if not complete:
            return INTERRUPTED
        for target in self._targets:
            target.write(facts)
        return FOUND if any(map(facts.fails, facts.results)) else 0

    def _write(self, result: CellResult) -> None:
        """Write the scenario of a cell. Raises UsageError where that is impossible."""
        try:
            self._reproduction.write(result)
        except OSError as error:
            raise UsageError(f"{self._reproduction.path(result)}: {error.strerror or error}") from None

    def _show(self, facts: SweepReport, complete: bool) -> None:
        sweep, results = facts.sweep, facts.results
        colour = wants_colour(sys.stdout)
        for line in text.lines(sweep, columns(), colour):
            click.echo(line, color=True)
        if results:
            click.echo(f"{text.legend(sweep)}\n")
        for result in bad_first([each for each in results if each.verdict not in GOOD]):
            verdict = text.painted(result.verdict, text.colour_of(result.verdict), colour)
            known = " (known)" if facts.accepted(result) else ""
            click.echo(f"{verdict}{known}: {sentence(result)}\n    {facts.reproduce(result)}", color=True)
        runs = f"{len(results)} run{'' if len(results) == 1 else 's'}"
        ending = "" if complete else f": stopped, {len(sweep.cells) - len(results)} not made, no report written"
        counted = f": {text.totals(results, colour)}" if results else ""
        click.echo(f"{runs}{counted}{ending}", color=True)


def _hammering(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the audit says of a run's retries."""
    return [str(each) for each in hammered(calls_of(entries))]


def _check(patterns: Sequence[str]) -> None:
    check_operations(patterns, [operation.name for operation in operations()])


def _failing(names: Sequence[str]) -> Sequence[Verdict]:
    """The verdicts that are chosen; `failed-cleanly` may have its hyphen."""
    if not names:
        return FAILING
    known = {verdict.replace(" ", "-"): verdict for verdict in VERDICTS}
    words = [name.replace(" ", "-") for name in names if name != "none"]
    for name in words:
        if name not in known:
            raise UsageError(f"no verdict is called {name!r}{did_you_mean(name, known)} (there are {one_of(known)})")
    return [known[name] for name in words]


def _earlier(name: str) -> Baseline:
    """The cells of an earlier report. Raises UsageError or BaselineError."""
    try:
        return read_baseline(json.loads(Path(name).read_bytes()))
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: {error}") from None


def _folder(name: str) -> Path:
    path = Path(name)
    if path.exists() and not path.is_dir():
        raise UsageError(f"{name}: it is no folder; choose another one for scenario files (--scenarios)")
    return path


def _run_options(settings: Settings) -> list[str]:
    """What `cnx-mock run` needs to do the same again."""
    return words(settings, *(name for name in PROGRAM if name != "scenario"))
