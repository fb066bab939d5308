"""`cnx-mock shrink`: find the few faults that made a random run fail. What it does is in `shrink_program`."""

from pathlib import Path
from typing import Any

import click

from cnx_mock.cli.options import RUN, settings_options
from cnx_mock.cli.param_types import DURATION, TEST_KEY, ProgramCommand, program_argument

_FILE = ".cnx-mock/shrunk.yaml"


@click.command(cls=ProgramCommand, context_settings={"allow_interspersed_args": False})
@settings_options(*RUN)
@click.option("--key", type=TEST_KEY, metavar="KEY", help="Use the test key of the run, if it had one.")
@click.option("--expect-clean", is_flag=True, help="Count it as a failure too if CMD leaves resources that it created.")
@click.option(
    "--timeout",
    type=DURATION,
    metavar="DURATION",
    help="Stop a run after this time; by default 3 × the time of the failing run + 15s.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_FILE,
    show_default=True,
    metavar="FILE",
    help="Write the scenario to this file.",
)
@program_argument
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

    CMD is run as `cnx-mock run` ran it: the same scenario, seed and key give the same faults. Each fault that was
    injected becomes a rule for one call. Then rules are removed as long as CMD still fails in the same way, until every
    remaining rule is needed. The scenario with these rules is written to a file.

    The exit status is then 0. It is 2 if CMD does not fail, or fails without any fault, and for bad options; 127 if CMD
    is not found, 126 if it cannot be executed; 130 after Ctrl-C, which writes the best result so far.

    \b
    Examples:
      cnx-mock shrink --scenario flaky-network --seed 7 -- python deploy.py
      cnx-mock shrink --scenario noisy.yaml --seed 7 --expect-clean -- ./deploy.sh
    """
    from cnx_mock.cli.shrink_program import ProgramShrink  # lazy: --help and completion need no server

    program = ProgramShrink(command, options, key=key, expect_clean=expect_clean, timeout=timeout, path=output)
    context.exit(program.run())
