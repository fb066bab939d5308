"""`cnx-mock sweep`: a program, once for every fault at every call."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cnx_mock.audit.audit import hammered
from cnx_mock.audit.call import calls_of
from cnx_mock.cli.errors import FOUND, INTERRUPTED
from cnx_mock.cli.options import PROGRAM, settings_options, words
from cnx_mock.cli.param_types import DURATION, NAMES
from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.cli.program_settings import program_settings
from cnx_mock.cli.report_file import ReportFile, ReportFileType
from cnx_mock.cli.sweep_progress import progress_reporter
from cnx_mock.cli.terminal import columns, shown, wants_colour
from cnx_mock.errors import UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.services import operations as all_operations
from cnx_mock.settings import Settings
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import check_operations, select_faults
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.html import html_report
from cnx_mock.sweep.report.json import Baseline, SweepReport, json_report, read_baseline
from cnx_mock.sweep.report.junit import junit_report
from cnx_mock.sweep.report.matrix import bad_first
from cnx_mock.sweep.reproduction import Reproduction
from cnx_mock.sweep.results import SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.verdict import FAILING, GOOD, VERDICTS, Verdict
from cnx_mock.text.plural import counted
from cnx_mock.text.suggestions import did_you_mean, one_of

_FORMS: dict[str, Callable[[SweepReport], bytes]] = {
    ".html": html_report,
    ".htm": html_report,
    ".json": json_report,
    ".xml": junit_report,
}
"""Reports by the end of their file's name."""
_REPORT = ReportFileType(_FORMS, "a report's name ends in .html, .json, or .xml for JUnit")


def _joined(_: click.Context, __: click.Parameter, value: tuple[list[str], ...]) -> list[str]:
    """Return the names of an option that may be repeated."""
    return [name for names in value for name in names]


_NAMES: dict[str, Any] = {"type": NAMES, "multiple": True, "metavar": "NAMES", "callback": _joined}


@click.command(context_settings={"allow_interspersed_args": False})
@settings_options(*PROGRAM)
@click.option("--faults", **_NAMES, help="Only these faults, such as reset-after,hang; see below.")
@click.option("--operations", **_NAMES, help="Only calls of these operations; `*` globs, `!` excludes.")
@click.option("--pairs", is_flag=True, help="Two faults at two calls as well: many runs.")
@click.option("--max-runs", type=click.IntRange(1), metavar="N", help="At most this many runs, drawn by the seed.")
@click.option(
    "--timeout", type=DURATION, metavar="DURATION", help="Limit of a run; by default 3 × CMD's own time + 15s."
)
@click.option("-j", "jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Runs at a time.")
@click.option(
    "--report",
    "reports",
    type=_REPORT,
    multiple=True,
    metavar="FILE",
    help="Write a report: .html, .json, or .xml for JUnit.",
)
@click.option("--fail-on", **_NAMES, help="Verdicts that make the exit status 1, or `none`.")
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An earlier JSON report: its bad cells are accepted.",
)
@click.option(
    "--scenarios",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".cnx-mock/sweep",
    show_default=True,
    metavar="DIR",
    help="Where the scenario files of bad cells are written.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] CMD...")
@click.pass_context
def sweep(
    context: click.Context,
    /,
    command: tuple[str, ...],
    faults: Sequence[str],
    operations: Sequence[str],
    pairs: bool,
    max_runs: int | None,
    timeout: float | None,
    jobs: int,
    reports: Sequence[ReportFile],
    fail_on: Sequence[str],
    baseline: Path | None,
    folder: Path,
    **options: Any,
) -> None:
    """Run a program once for every fault at every call, and judge the outcome.

    CMD is run twice without faults, then once for each cell of the matrix, each time in a new world. It finds the mock
    as under `cnx-mock run`: by CLOUDNEXUS_BASE_URL and CLOUDNEXUS_API_KEY, or by the cloud's own address. Each bad cell
    gets a scenario file, and the line that runs it is shown.

    The exit status is 1 for bad cells; 2 if CMD fails by itself or makes no calls, and for bad options; 127 if CMD is
    not found, 126 if it cannot be executed; 130 after Ctrl-C.

    \b
    Faults: error, error-after, outage (five times), down (from there on; only
    by name), reset, reset-after, rate-limit, hang, hang-after, truncate,
    bad-json, no-credits, never-ready, stale.
    Verdicts, the worst first: hung, duplicated, leaked, lost, hammered, failed
    cleanly, survived. The first four make the exit status 1.

    \b
    Examples:
      cnx-mock sweep -- python deploy.py
      cnx-mock sweep -j 4 --faults reset-after,error-after -- ./deploy.sh
      cnx-mock sweep --report sweep.html --report sweep.json -- npm run deploy
      cnx-mock sweep --baseline sweep.json --report new.json -- npm run deploy
    """
    settings = program_settings(options)
    check_operations(operations, [operation.name for operation in all_operations()])
    sweep_options = SweepOptions(
        faults=select_faults(faults),
        operations=operations,
        pairs=pairs,
        most=max_runs,
        seconds=timeout,
        jobs=jobs,
        seed=int(settings.seed),
    )
    failing, accepted = _failing(fail_on), _earlier(baseline) if baseline else {}
    reproduction = Reproduction(
        folder=folder, command=command, scenarios=settings.scenario, options=_run_options(settings)
    )
    swept, complete = _swept(command, settings, sweep_options)
    report = SweepReport(sweep=swept, failing=failing, baseline=accepted, reproduce=reproduction.line)
    _show(report, complete)
    for result in report.results:
        if result.verdict not in GOOD:
            reproduction.write(result)
    if not complete:
        context.exit(INTERRUPTED)
    for file in reports:
        file.write(_FORMS[file.suffix](report))
    context.exit(FOUND if any(map(report.fails, report.results)) else 0)


def _swept(command: tuple[str, ...], settings: Settings, options: SweepOptions) -> tuple[Sweep, bool]:
    """Make the runs; return the sweep, and whether it is complete. Raises SweepError and ProgramError."""
    scenario = load_scenarios(settings.scenario) if settings.scenario else None
    runs = ProgramRuns(command, settings, scenario=scenario)
    with progress_reporter() as reporter:
        sweep = Sweep(config=runs.config, options=options, check_hammering=_hammering, progress=reporter)
        return sweep, runs.complete(sweep.run)


def _show(report: SweepReport, complete: bool) -> None:
    """Print the matrix, the bad cells, and the totals."""
    swept, results = report.sweep, report.results
    colour = wants_colour(sys.stdout)
    lines = [*text.lines(swept, columns(), colour), *([f"{text.legend(swept)}\n"] if results else [])]
    for result in bad_first([each for each in results if each.verdict not in GOOD]):
        verdict = text.painted(result.verdict, text.colour_of(result.verdict), colour)
        known = " (known)" if report.accepted(result) else ""
        lines.append(f"{verdict}{known}: {sentence(result)}\n    {report.reproduce(result)}")
    ending = "" if complete else f": stopped, {len(swept.cells) - len(results)} not made, no report written"
    totals = f": {text.totals(results, colour)}" if results else ""
    lines.append(f"{counted(len(results), 'run')}{totals}{ending}")
    for line in lines:
        click.echo(shown(line), color=True)


def _hammering(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the audit says of a run's retries."""
    return [str(each) for each in hammered(calls_of(entries))]


def _failing(names: Sequence[str]) -> Sequence[Verdict]:
    """Return the verdicts that are chosen; `failed-cleanly` may have its hyphen. Raises UsageError."""
    if not names:
        return FAILING
    known = {verdict.replace(" ", "-"): verdict for verdict in VERDICTS}
    chosen = [name.replace(" ", "-") for name in names if name != "none"]
    for name in chosen:
        if name not in known:
            raise UsageError(f"no verdict is called {name!r}{did_you_mean(name, known)} (there are {one_of(known)})")
    return [known[name] for name in chosen]


def _earlier(path: Path) -> Baseline:
    """Return the cells of an earlier report. Raises UsageError, and OSError if it cannot be read."""
    try:
        return read_baseline(json.loads(path.read_bytes()))
    except (ValueError, RecursionError) as error:  # BaselineError, which is a ValueError, too
        raise UsageError(f"{path}: {error}") from None


def _run_options(settings: Settings) -> list[str]:
    """Return the options with which `cnx-mock run` does the same again."""
    return words(settings, *(name for name in PROGRAM if name != "scenario"))
