"""`cnx-mock shrink`: of a random run that failed, the few faults that made it fail."""

from pathlib import Path
from typing import Any

import click

from cnx_mock.cli.errors import INTERRUPTED
from cnx_mock.cli.options import PROGRAM, command_line, settings_options
from cnx_mock.cli.param_types import DURATION, TEST_KEY
from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.cli.program_settings import program_settings
from cnx_mock.cli.terminal import shown
from cnx_mock.errors import UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.settings import Settings
from cnx_mock.sweep.reproduction import write_scenario
from cnx_mock.sweep.shrink import Shrink
from cnx_mock.text.plural import counted

_FILE = ".cnx-mock/shrunk.yaml"


@click.command(context_settings={"allow_interspersed_args": False})
@settings_options(*PROGRAM)
@click.option("--key", type=TEST_KEY, metavar="KEY", help="The test key of the run, if it had one.")
@click.option("--expect-clean", is_flag=True, help="What CMD leaves in the account is a failure too.")
@click.option(
    "--timeout", type=DURATION, metavar="DURATION", help="Limit of a run; by default 3 × the failing one + 15s."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_FILE,
    show_default=True,
    metavar="FILE",
    help="Where the scenario is written.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] CMD...")
@click.pass_context
def shrink(
    context: click.Context,
    /,
    command: tuple[str, ...],
    key: str | None,
    expect_clean: bool,
    timeout: float | None,
    output: Path,
    **options: Any,
) -> None:
    """Find the few faults that make a program fail under a scenario.

    CMD is run as `cnx-mock run` ran it: the same scenario, seed and key draw the same faults. Those that struck are
    written down as rules for single calls. Then CMD is run with fewer and fewer of them, as long as it fails in the
    same way, until each of the rest is needed. The scenario with the rest is written to a file.

    The exit status is then 0. It is 2 if CMD does not fail, or fails without any fault, and for bad options; 127 if CMD
    is not found, 126 if it cannot be executed; 130 after Ctrl-C, which writes the best result so far.

    \b
    Examples:
      cnx-mock shrink --scenario flaky-network --seed 7 -- python deploy.py
      cnx-mock shrink --scenario noisy.yaml --seed 7 --expect-clean -- ./deploy.sh
    """
    settings = program_settings(options)
    if not settings.scenario:
        raise UsageError("there is nothing to shrink without a scenario: --scenario NAME|PATH")
    runs = ProgramRuns(command, settings, key=key)
    search = Shrink(
        config=runs.config,
        scenario=load_scenarios(settings.scenario),
        seconds=timeout,
        clean=expect_clean,
        message=lambda line: click.echo(shown(f"cnx-mock: {line}"), err=True),
    )
    complete = runs.complete(search.run)
    if search.kept:
        line = _written(search, output, settings, command, key=key, expect_clean=expect_clean)
        click.echo(shown("\n".join([*_summary(search, complete), f"    {line}"])))
    context.exit(0 if complete else INTERRUPTED)


def _written(
    search: Shrink, path: Path, settings: Settings, command: tuple[str, ...], *, key: str | None, expect_clean: bool
) -> str:
    """Write the scenario, and return the line that runs it. Raises OSError if it cannot be written."""
    line = command_line("run", settings, command, scenarios=[str(path)], key=key, expect_clean=expect_clean)
    write_scenario(path, [*(each.title for each in search.kept), line], search.document(search.kept))
    return line


def _summary(search: Shrink, complete: bool) -> list[str]:
    kept, injected = len(search.kept), len(search.injected)
    verb = "makes" if kept == 1 else "make"
    ending = counted(search.runs, "run") + ("" if complete else ", stopped before the end")
    title = f"{kept} of {counted(injected, 'fault')} {verb} CMD fail ({search.failure}), {ending}"
    return [title, *(f"  {each.title}" for each in search.kept)]
