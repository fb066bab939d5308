"""`cnx-mock run`: a program, with a mock of its own for as long as it runs. What it does is in `run_program`."""

from typing import Any

import click

from cnx_mock.cli.lazy import uncollected
from cnx_mock.cli.options import RUN, settings_options
from cnx_mock.cli.param_types import TEST_KEY, program_argument
from cnx_mock.cli.report_file import ReportFile, ReportFileType
from cnx_mock.programs.passthrough import Foreground


@click.command(context_settings={"allow_interspersed_args": False})
@settings_options(*RUN, "journal_size")
@click.option(
    "--key", type=TEST_KEY, metavar="KEY", help="Use this test key, which CMD has hard-coded; by default a new one."
)
@click.option(
    "--report", type=ReportFileType(), metavar="FILE", help="Write summary and journal to this file, as JSON."
)
@click.option("--expect-clean", is_flag=True, help="Exit with status 3 if CMD leaves anything in the account.")
@click.option("--quiet", is_flag=True, help="Print no summary on stderr, except what makes the exit status 3.")
@program_argument
@click.pass_context
def run(
    context: click.Context,
    /,
    command: tuple[str, ...],
    key: str | None,
    report: ReportFile | None,
    expect_clean: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Run a program against a private mock, and report what it did there.

    CMD finds the mock in CLOUDNEXUS_BASE_URL and CLOUDNEXUS_API_KEY. https://api.cloudnexus.com is the mock too, by a
    proxy and a CA that curl, Python, Go and Ruby use, and Node from 22.21 and 24.5 on (fetch alone: 24.0). The proxy
    refuses other hosts unless they are allowed.

    The exit status is CMD's; 128+N if signal N killed it, 127 if it is not found, 126 if it cannot be executed. If CMD
    succeeds and an `expect` of the scenario is not met, it is 3. For bad options it is 2, and CMD does not start.

    \b
    Examples:
      cnx-mock run -- ./deploy.sh
      cnx-mock run --scenario lost-response --expect-clean -- ./deploy.sh --region us-east-1
      cnx-mock run --fixture small-team --report report.json -- npm test
      cnx-mock run --allow-host example.com -- ./deploy.sh
    """
    foreground = Foreground()
    with uncollected():
        from cnx_mock.cli.run_program import ProgramRun  # lazy: the signals that come during these imports are CMD's

    program = ProgramRun(command, options, key=key, report=report, expect_clean=expect_clean, quiet=quiet)
    context.exit(program.run(foreground))
