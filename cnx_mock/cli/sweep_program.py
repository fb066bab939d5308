"""What `cnx-mock sweep` does: it makes the runs, shows the results, and writes scenarios and reports."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnx_mock.audit.audit import Hammering
from cnx_mock.cli.errors import FOUND, INTERRUPTED
from cnx_mock.cli.options import PROGRAM, words
from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.cli.program_settings import program_settings
from cnx_mock.cli.report_file import ReportFile
from cnx_mock.cli.run_race import command_words
from cnx_mock.cli.streams import settle
from cnx_mock.cli.sweep_output import show
from cnx_mock.cli.sweep_progress import progress_reporter
from cnx_mock.errors import BaselineError, UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.services import operations as all_operations
from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import CRASHES, FAULTS, check_operations, select_faults
from cnx_mock.sweep.race.sweep import RaceSweep
from cnx_mock.sweep.readings import ReadingSweep
from cnx_mock.sweep.report.html import html_report
from cnx_mock.sweep.report.json import Baseline, SweepReport, json_report, read_baseline
from cnx_mock.sweep.report.junit import junit_report
from cnx_mock.sweep.report.matrix import ABBREVIATIONS
from cnx_mock.sweep.report.restored import restored
from cnx_mock.sweep.reproduction import Reproduction, line_in, write_scenarios
from cnx_mock.sweep.results import CellResult, SweepOptions, known_call, known_cell
from cnx_mock.sweep.runner import ProgressReporter, Sweep
from cnx_mock.sweep.verdict import FAILING, VERDICTS, Verdict
from cnx_mock.text.files import read_regular
from cnx_mock.text.suggestions import did_you_mean, one_of

MAX_REPORT = 1 << 26
"""The most bytes of an earlier report: 64 MiB."""

FORMS: dict[str, Callable[[SweepReport], bytes]] = {
    ".html": html_report,
    ".htm": html_report,
    ".json": json_report,
    ".xml": junit_report,
}
"""Reports by the end of their file's name."""


class ProgramSweep:
    """One sweep of one program. Raises what its settings, scenarios, faults, operations and baseline raise."""

    def __init__(
        self,
        command: tuple[str, ...],
        options: Mapping[str, Any],
        *,
        faults: Sequence[str],
        operations: Sequence[str],
        pairs: bool,
        max_runs: int | None,
        timeout: float | None,
        jobs: int,
        fail_on: Sequence[str],
        baseline: Path | None,
        scenarios: Path,
        all_calls: bool,
        shard: tuple[int, int] | None,
        since: Path | None,
        allow_partial: bool,
        crash: bool,
        rerun: bool,
        readings: bool,
        race: bool,
        other: str | None,
        switches: int,
        folder: Path | None,
    ) -> None:
        _check_ways(
            crash=crash,
            rerun=rerun,
            readings=readings,
            race=race,
            pairs=pairs,
            faults=bool(faults),
            operations=bool(operations),
            shard=shard is not None,
            since=since is not None,
        )
        ways = {"crash": crash, "rerun": rerun, "readings": readings, "race": race}
        self._since = None if since is None else restored(str(since), _document(since))
        self._noted: list[str] = []
        self._readings = readings
        if other is not None and not race:
            raise UsageError("--with is the second program of a race: add --race")
        self._race = race
        self._other = command_words(other) if other is not None else None
        self._switches = switches
        self._command = command
        self._folder = folder
        self._settings = settings = program_settings(options)
        check_operations(operations, all_operations())
        self._options = SweepOptions(
            faults=select_faults(faults, CRASHES if crash else FAULTS, timeout),
            operations=operations,
            pairs=pairs,
            most=max_runs,
            seconds=timeout,
            jobs=jobs,
            allow_partial=allow_partial,
            all_calls=all_calls,
            way=next((name for name, is_it in ways.items() if is_it), "faults"),
            shard=shard,
            since={known_cell(each) for each in self._since.sweep.cells} if self._since is not None else (),
            again="after a crash" if crash else "after a failure" if rerun else "never",
            seed=int(settings.seed),
        )
        self._failing = _failing(fail_on)
        self._baseline = _earlier(baseline) if baseline else {}
        self._reproduction = Reproduction(
            folder=scenarios, command=command, scenarios=settings.scenario, options=_run_options(settings, folder)
        )
        self._run_options = [*words(settings, *PROGRAM), *(["--workdir", str(folder)] if folder else [])]
        if self._since is not None:
            self._check_since(str(since), self._since)
        self._raced: RaceSweep | None = None

    def run(self, files: Sequence[ReportFile]) -> int:
        """Sweep, show and write everything, and return the exit status. Raises SweepError, ProgramError, and OSError
        or UsageError for a file that cannot be written."""
        sweep, complete = self._swept()
        report = SweepReport(
            sweep=sweep,
            failing=self._failing,
            baseline=self._baseline,
            reproduce=self._line,
            run_options=self._run_options,
        )
        if complete and self._since is not None:
            report = self._with_earlier(report, self._since)
        try:
            self._write(report, files if complete else ())
        finally:
            show(report, complete, self._noted)
        if not complete:
            return INTERRUPTED
        return FOUND if any(map(report.fails, report.results)) else 0

    def _check_since(self, file: str, earlier: SweepReport) -> None:
        """Raise UsageError for a report whose verdicts say nothing of this sweep."""
        before, now = earlier.sweep.options, self._options
        for differ, what in (
            (earlier.sweep.config.command != list(self._command), "the programs"),
            ((before.way, before.allow_partial) != (now.way, now.allow_partial), "the options"),
            (list(earlier.run_options) != self._run_options, "the options"),
        ):
            if differ:
                raise UsageError(f"--since {file} is the report of another sweep: {what} differ")

    def _with_earlier(self, report: SweepReport, earlier: SweepReport) -> SweepReport:
        """Add the cells of an earlier report whose calls are unchanged: they count although they were not run."""
        known = {known_call(call) for call in report.sweep.calls}
        lines = dict[str, str]()
        for result in earlier.results:
            unchanged = all(known_call(call) in known for call, _ in result.cell.injections)
            if unchanged and result.cell.name not in report.sweep.results:
                report.sweep.cells.append(result.cell)
                report.sweep.results[result.cell.name] = result
                lines[result.cell.name] = line_in(self._reproduction.folder, result.cell, earlier.reproduce(result))
        faults = {each.name: each for each in (*earlier.sweep.options.faults, *report.sweep.options.faults)}
        report.sweep.options = replace(report.sweep.options, faults=list(faults.values()))
        return replace(report, reproduce=lambda each: lines.get(each.cell.name) or self._line(each))

    def _write(self, report: SweepReport, files: Sequence[ReportFile]) -> None:
        """Write the scenarios of bad cells, and the reports: before anything is shown, which may fail or wait."""
        settle()  # a report may go to stderr
        write_scenarios(report, self._reproduction.folder)
        for file in files:
            file.write(FORMS[file.suffix](report))

    def _swept(self) -> tuple[Sweep, bool]:
        """Make the runs; return the sweep, and whether it is complete."""
        scenario = load_scenarios(self._settings.scenario) if self._settings.scenario else None
        runs = ProgramRuns(self._command, self._settings, scenario=scenario, folder=self._folder)
        with progress_reporter() as reporter:
            if self._race:
                raced = self._raced = self._race_sweep(runs, reporter)
                return raced, runs.complete(raced.run)
            if self._readings:
                read = ReadingSweep(
                    config=runs.config, options=self._options, check_hammering=Hammering(), progress=reporter
                )
                return read, runs.complete(read.run)
            sweep = Sweep(config=runs.config, options=self._options, check_hammering=Hammering(), progress=reporter)
            return sweep, runs.complete(sweep.run)

    def _race_sweep(self, runs: ProgramRuns, reporter: ProgressReporter) -> RaceSweep:
        config = runs.config
        other = None if self._other is None else replace(config, command=self._other)
        return RaceSweep(
            config=config,
            other=other,
            switches=self._switches,
            options=self._options,
            check_hammering=Hammering(),
            progress=reporter,
        )

    def _line(self, result: CellResult) -> str:
        """Return the command that shows a cell again."""
        if self._readings:
            return self._reproduction.reading_line(result.cell.fault.description)
        if self._raced is None:
            return self._reproduction.line(result)
        return self._reproduction.race_line(self._raced.schedules[result.cell.name].text(), self._other)


def _check_ways(**given: bool) -> None:
    """Raise UsageError for options that do not go together."""
    ways = [f"--{name}" for name in ("crash", "rerun", "readings", "race") if given[name]]
    if len(ways) > 1:
        raise UsageError(f"{ways[0]} makes its own runs: leave out {ways[1]}")
    if given["pairs"] and ways and ways != ["--rerun"]:
        raise UsageError(f"{ways[0]} makes its own runs: leave out --pairs")
    for name in ("faults", "operations"):
        if given[name] and (given["race"] or given["readings"]):
            raise UsageError(f"{ways[0]} injects no faults: leave out --{name}")
    for name in ("shard", "since"):
        if given[name] and given["race"]:
            raise UsageError(f"--race plans its runs from those before: leave out --{name}")
    if given["since"] and given["readings"]:
        raise UsageError("--readings runs the whole program: leave out --since")


def _failing(names: Sequence[str]) -> Sequence[Verdict]:
    """Return the verdicts that are chosen; `failed-cleanly` may have its hyphen. Raises UsageError."""
    if not names:
        return FAILING
    known = {verdict.replace(" ", "-"): verdict for verdict in VERDICTS}
    chosen = [name.replace(" ", "-") for name in names if name != "none"]
    for name in chosen:
        if name not in known:
            raise UsageError(
                f"no verdict is called {name!r}{_near(name, known)} (there are {one_of([*known, 'none'])})"
            )
    return [known[name] for name in chosen]


def _near(name: str, known: Mapping[str, Verdict]) -> str:
    """Return the hint at the verdict that is meant: by its name, or by what the matrix shows for it."""
    shown_as = {short.lower(): verdict for verdict, short in ABBREVIATIONS.items()}
    return did_you_mean(shown_as.get(name.lower(), name).replace(" ", "-"), known)


def _earlier(path: Path) -> Baseline:
    """Return the cells of an earlier report. Raises UsageError, and OSError if it cannot be read."""
    try:
        return read_baseline(_document(path))
    except BaselineError:
        raise UsageError(f"{path} is not a JSON report of `cnx-mock sweep`") from None


def _document(path: Path) -> Any:
    """Return an earlier JSON report as plain data. Raises UsageError, and OSError if it cannot be read."""
    try:
        return json.loads(read_regular(path, MAX_REPORT))
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not a JSON report of `cnx-mock sweep`") from None


def _run_options(settings: Settings, folder: Path | None) -> list[str]:
    """Return the options with which `cnx-mock run` does the same again."""
    copied = [] if folder is None else ["--workdir", str(folder)]
    return [*words(settings, *(name for name in PROGRAM if name != "scenario")), *copied]
