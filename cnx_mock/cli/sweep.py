"""`cnx-mock sweep`: a program, once for every fault at every call. What it does is in `sweep_program`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cnx_mock.cli import completions
from cnx_mock.cli.options import PROGRAM, settings_options, workdir_option
from cnx_mock.cli.param_types import DURATION, NAMES, SHARD, ProgramCommand, program_argument
from cnx_mock.cli.report_file import ReportFile, ReportFileType

SUFFIXES = (".html", ".htm", ".json", ".xml")
"""What the name of a report may end in."""
REPORT = ReportFileType(SUFFIXES, "a report's name ends in .html, .json, or .xml for JUnit")


def _joined(_: click.Context, __: click.Parameter, value: tuple[list[str], ...]) -> list[str]:
    """Return the names of an option that may be repeated."""
    return [name for names in value for name in names]


_NAMES: dict[str, Any] = {"type": NAMES, "multiple": True, "metavar": "NAMES", "callback": _joined}


scenarios_option = click.option(
    "--scenarios",
    "scenarios",
    type=click.Path(file_okay=False, path_type=Path),
    default=".cnx-mock/sweep",
    show_default=True,
    metavar="DIR",
    help="Write the scenario files of cells that CMD does not survive into this folder.",
)


@click.command(cls=ProgramCommand, context_settings={"allow_interspersed_args": False})
@settings_options(*PROGRAM)
@click.option(
    "--faults",
    **_NAMES,
    shell_complete=completions.listed(completions.sweep_faults),
    help="Inject only these faults, such as reset-after,hang; all are listed above.",
)
@click.option(
    "--operations",
    **_NAMES,
    shell_complete=completions.operation_list,
    help="Inject faults only at calls of these operations; `*` globs, `!` excludes.",
)
@click.option("--pairs", is_flag=True, help="Inject two faults at two calls as well: many runs.")
@click.option(
    "--max-runs", type=click.IntRange(1), metavar="N", help="Make at most N runs, chosen at random by the seed."
)
@click.option(
    "--all-calls", is_flag=True, help="Sweep every call; by default only the first, second and last of similar calls."
)
@click.option(
    "--shard", type=SHARD, metavar="I/N", help="Run only part I of N; `cnx-mock sweep-merge` merges the reports."
)
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Run only cells of calls that are not in this earlier JSON report; its bad cells still count.",
)
@click.option(
    "--timeout",
    type=DURATION,
    metavar="DURATION",
    help="Stop a run after this time; by default 3 × CMD's own time + 15s, and more if its waits grow.",
)
@click.option(
    "-j",
    "jobs",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    metavar="N",
    help="Make N runs at a time.",
)
@click.option(
    "--report",
    "reports",
    type=REPORT,
    multiple=True,
    metavar="FILE",
    help="Write a report: .html, .json, or .xml for JUnit.",
)
@click.option(
    "--fail-on",
    **_NAMES,
    shell_complete=completions.listed(completions.verdicts),
    help="Exit with status 1 for these verdicts, such as duplicated,failed-cleanly; `none` for no verdict.",
)
@click.option("--crash", is_flag=True, help="Kill CMD at every call, and run it again in the same world.")
@click.option("--rerun", is_flag=True, help="Run CMD again in each world in which it failed, without the fault.")
@click.option(
    "--readings", is_flag=True, help="Run CMD once for each other meaning of the documentation that affects its calls."
)
@click.option(
    "--race",
    is_flag=True,
    help="Run two copies of CMD at once, in every order of their calls that may make a difference.",
)
@click.option("--with", "other", metavar="CMD2", help="Race CMD with this program; write its command line in quotes.")
@click.option(
    "--switches",
    type=click.IntRange(1, 9),
    default=2,
    show_default=True,
    metavar="N",
    help="Let the turn change at most N times in a race.",
)
@workdir_option
@click.option(
    "--allow-partial", is_flag=True, help="Let a run that fails leave the same resources as the run without faults."
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Accept the bad cells of this earlier JSON report.",
)
@scenarios_option
@program_argument
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
    **options: Any,
) -> None:
    """Run a program once for every fault at every call, and judge the outcome.

    CMD is run twice without faults, then once for each cell of the matrix, each time in a new sandbox. CMD finds the
    mock as with `cnx-mock run`: by CLOUDNEXUS_BASE_URL and CLOUDNEXUS_API_KEY, or at the cloud's own address. Each cell
    that CMD does not survive gets a scenario file. Cells with the same cause are shown together, with the line that
    runs the clearest of them.

    If a run fails and leaves a resource that it created, the verdict is `leaked`, because the next run would find it.
    With --allow-partial, a run that fails may leave what the run without faults leaves.

    With --crash, CMD is killed (SIGKILL) at every call, when the call has arrived. At a call that changes something,
    another run kills CMD when the change is committed and not yet answered. Then CMD is run again in the same world,
    and must reach the same result as without the kill. With --rerun, CMD is run again in each world in which it failed.
    CMD can keep files for the second run in the folder CNX_MOCK_SCRATCH, which is empty at the start of each cell.

    With --race, two copies of CMD (or CMD and CMD2) run in one world, one call at a time, in every order that may make
    a difference. Together they must leave what they leave when they run one after the other.

    With --readings, CMD is run once for each other meaning of the documentation that affects its calls (see `cnx-mock
    readings`). A run with another result than under the current readings is bad, even if CMD fails cleanly.

    The exit status is 1 for bad cells; 2 if CMD fails without faults or makes no calls, and for bad options; 127 if CMD
    is not found, 126 if it cannot be executed; 130 after Ctrl-C.

    \b
    Faults: error, error-after, outage (five times), down (from there on), reset,
    reset-after, rate-limit, rate-limit-date, gateway, revoked (from there on), hang,
    hang-after, delivered-twice, dies-idle (reused connections), truncate, bad-json,
    drip (first read and change), no-credits (from there on), never-ready, stale;
    only if named: refused, no-handshake (over HTTPS), which affect the whole server.
    Verdicts, the worst first: hung, stuck (fails again), duplicated, leaked, lost,
    raced, misread, hammered, doubled (delivered twice), failed-cleanly, recovered
    (by the second run), serial (as one after the other), survived. The first seven
    make the exit status 1.

    \b
    Examples:
      cnx-mock sweep -- python deploy.py
      cnx-mock sweep -j 4 --faults reset-after,error-after -- ./deploy.sh
      cnx-mock sweep --report sweep.html --report sweep.json -- npm run deploy
      cnx-mock sweep --baseline sweep.json --report new.json -- npm run deploy
      cnx-mock sweep --crash -- python deploy.py
      cnx-mock sweep --race --with './scale.sh 3' -- python deploy.py
    """
    from cnx_mock.cli.sweep_program import ProgramSweep  # lazy: --help and completion need no sweep

    program = ProgramSweep(
        command,
        options,
        faults=faults,
        operations=operations,
        pairs=pairs,
        max_runs=max_runs,
        timeout=timeout,
        jobs=jobs,
        fail_on=fail_on,
        baseline=baseline,
        scenarios=scenarios,
        all_calls=all_calls,
        shard=shard,
        since=since,
        allow_partial=allow_partial,
        crash=crash,
        rerun=rerun,
        readings=readings,
        race=race,
        other=other,
        switches=switches,
        folder=folder,
    )
    context.exit(program.run(reports))
