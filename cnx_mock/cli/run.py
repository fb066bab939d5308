"""`cnx-mock run`: a program, with its own mock while it runs. What it does is in `run_program`."""

from pathlib import Path
from typing import Any

import click

from cnx_mock.cli import completions
from cnx_mock.cli.lazy import uncollected
from cnx_mock.cli.options import RUN, settings_options, workdir_option
from cnx_mock.cli.param_types import TEST_KEY, ProgramCommand, program_argument
from cnx_mock.cli.report_file import ReportFile, ReportFileType
from cnx_mock.errors import UsageError
from cnx_mock.programs.passthrough import Foreground

_REPORT = ReportFileType(
    (".html", ".htm", ".json", ""), "a report's name ends in .html or .json; `sweep` writes .xml too"
)


@click.command(cls=ProgramCommand, context_settings={"allow_interspersed_args": False})
@settings_options(*RUN, "journal_size")
@click.option(
    "--key", type=TEST_KEY, metavar="KEY", help="Use this test key, if CMD has a fixed one; by default a new key."
)
@click.option(
    "--report",
    "reports",
    type=_REPORT,
    multiple=True,
    metavar="FILE",
    help="Write a report of the run: .html or .json; may be repeated.",
)
@click.option(
    "--expect",
    "expected",
    multiple=True,
    metavar="KIND=WHAT",
    help="Exit with status 3 unless this is true at the end: `instances=1`, `instances>=1`; may be repeated.",
)
@click.option(
    "--expect-same", is_flag=True, help="Exit with status 3 unless CMD leaves the same resources as without faults."
)
@click.option("--expect-clean", is_flag=True, help="Exit with status 3 if CMD leaves resources that it created.")
@click.option(
    "--crash-at",
    metavar="CALL",
    shell_complete=completions.operation_list,
    help="Kill CMD at a call, such as `instances.create#1:after` (committed, not answered), and run it again.",
)
@click.option("--rerun", is_flag=True, help="If CMD fails, run it again without the rules of the first --scenario.")
@click.option("--race", is_flag=True, help="Run two copies of CMD at once, in the order of --schedule.")
@click.option("--with", "other", metavar="CMD2", help="Race CMD with this program; write its command line in quotes.")
@click.option("--schedule", metavar="ORDER", help="Make the calls of a race in this order, such as `A1 B1 B2 A2`.")
@workdir_option
@click.option("--quiet", is_flag=True, help="Print no summary on stderr, except what makes the exit status 3.")
@program_argument
@click.pass_context
def run(
    context: click.Context,
    /,
    command: tuple[str, ...],
    key: str | None,
    reports: tuple[ReportFile, ...],
    expected: tuple[str, ...],
    expect_same: bool,
    expect_clean: bool,
    quiet: bool,
    crash_at: str | None,
    rerun: bool,
    race: bool,
    other: str | None,
    schedule: str | None,
    folder: Path | None,
    **options: Any,
) -> None:
    """Run a program against a private mock, and report what it did there.

    CMD finds the mock by CLOUDNEXUS_BASE_URL and CLOUDNEXUS_API_KEY, or at https://api.cloudnexus.com. For the latter,
    `run` sets the variables for a proxy and a CA. curl, Python, Go and Ruby use them, and Node from 22.21 and 24.5 on
    (fetch alone: 24.0). The proxy refuses other hosts, except those of --allow-host.

    The exit status is that of CMD; 128+N if signal N killed CMD, 127 if CMD is not found, 126 if it cannot be executed.
    If CMD succeeds and an expectation is not met, the status is 3. Expectations are the `expect` of the scenario and
    the options below. For bad options the status is 2, and CMD is not started.

    --expect takes the values of a scenario's `expect`: a number, a list of resources, or {at_least: …}. --expect-same
    runs CMD again after it has succeeded, in the same world without rules, and compares the resources that are left.

    With --crash-at and --rerun, CMD is run a second time in the world that the first run left. The exit status is that
    of the second run, or 3 if CMD never makes the call of --crash-at. CMD can keep files for the second run in the
    folder CNX_MOCK_SCRATCH, which is empty at the start and removed at the end.

    With --race, two programs run in one world, each with its own scratch folder. Their calls are made one at a time
    in the order of --schedule. Then the program that has the turn runs to its end, and after it the other one. The exit
    status is that of the first program that fails, or 3 if the calls came in another order.

    \b
    Examples:
      cnx-mock run -- ./deploy.sh
      cnx-mock run --scenario lost-response --expect instances=1 -- ./deploy.sh --region us-east-1
      cnx-mock run --scenario flaky-network --expect-clean -- pytest
      cnx-mock run --expect 'instances=[{name: web-1, status: running}]' -- ./deploy.sh
      cnx-mock run --fixture small-team --report report.json -- npm test
      cnx-mock run --allow-host example.com -- ./deploy.sh
      cnx-mock run --crash-at 'instances.create#1:after' -- ./deploy.sh
    """
    if race or other is not None or schedule is not None:
        from cnx_mock.cli.run_race import run_race  # lazy: all of the sweep

        if not race:
            raise UsageError("--with and --schedule are for a race: add --race")
        judged = {
            "--key": key,
            "--report": reports,
            "--expect": expected,
            "--expect-same": expect_same,
            "--expect-clean": expect_clean,
            "--crash-at": crash_at,
            "--rerun": rerun,
        }
        for name, given in judged.items():
            if given:
                raise UsageError(f"--race only shows the calls and what is left: leave out {name}")
        context.exit(run_race(command, other, schedule, folder, options, quiet=quiet))
    foreground = Foreground()
    with uncollected():
        from cnx_mock.cli.run_program import ProgramRun  # lazy: the signals that come during these imports are CMD's

    program = ProgramRun(
        command,
        options,
        key=key,
        reports=reports,
        expected=expected,
        expect_same=expect_same,
        expect_clean=expect_clean,
        quiet=quiet,
        crash_at=crash_at,
        rerun=rerun,
        folder=folder,
    )
    context.exit(program.run(foreground))
