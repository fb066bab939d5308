"""`cnx-mock shrink`: of a random run that failed, the few faults that made it fail."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnx_mock.cli.errors import usable
from cnx_mock.cli.options import PROGRAM, duration, program_settings, settings_options, test_key, words
from cnx_mock.errors import UsageError

if TYPE_CHECKING:
    from cnx_mock.settings import Settings
    from cnx_mock.sweep.shrink import Shrink

_FILE = ".cnx-mock/shrunk.yaml"


@click.command(context_settings={"allow_interspersed_args": False})
@settings_options(*PROGRAM)
@click.option("--key", callback=test_key, metavar="KEY", help="The test key of the run, if it had one.")
@click.option("--expect-clean", is_flag=True, help="What CMD leaves in the account is a failure too.")
@click.option(
    "--timeout", callback=duration, metavar="DURATION", help="Limit of a run; 3 × the failing one + 15s unless given."
)
@click.option("--output", default=_FILE, show_default=True, metavar="FILE", help="Where the scenario goes.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] CMD...")
def shrink(
    command: tuple[str, ...], key: str | None, expect_clean: bool, timeout: float | None, output: str, **options: Any
) -> None:
    """Find the few faults that make CMD fail under a scenario.

    CMD is run as `cnx-mock run` ran it: the same scenario, seed and key draw the same faults. What struck is written
    down as rules that name their calls; then CMD is run with fewer and fewer of them, while it fails in the same way,
    until none can be spared. The scenario with those that are left is written to a file.

    The exit status is 0 then; 2 where CMD does not fail, or fails without any fault, and for bad options; 127 where CMD
    is not found, 126 where it cannot be executed; 130 after Ctrl-C, which writes what is known so far.

    \b
    Examples:
      cnx-mock shrink --scenario flaky-network --seed 7 -- python deploy.py
      cnx-mock shrink --scenario noisy.yaml --seed 7 --expect-clean -- ./deploy.sh
    """

    def done() -> int:
        return _Shrinking(command, program_settings(options), key, expect_clean, timeout, output).status()

    sys.exit(usable(done))


def offer(settings: "Settings", key: str | None, expect_clean: bool, command: Sequence[str]) -> str:
    """The line that shrinks a run of `cnx-mock run`."""
    return _line("shrink", settings.scenario, settings, key, expect_clean, command)


def _line(
    name: str, scenarios: Sequence[str], settings: "Settings", key: str | None, clean: bool, command: Sequence[str]
) -> str:
    given = [word for each in scenarios for word in ("--scenario", each)]
    rest = words(settings, *(each for each in PROGRAM if each != "scenario"))
    expecting = ["--expect-clean"] if clean else []
    keyed = ["--key", key] if key else []
    return shlex.join(["cnx-mock", name, *given, *rest, *keyed, *expecting, "--", *command])


class _Shrinking:
    """A run to be shrunk, with its options. Raises UsageError, and what scenarios, fixtures and settings raise."""

    def __init__(
        self,
        command: tuple[str, ...],
        settings: "Settings",
        key: str | None,
        clean: bool,
        timeout: float | None,
        output: str,
    ) -> None:
        from cnx_mock.cli.program_runs import Staging
        from cnx_mock.http.app import load_scenarios
        from cnx_mock.sweep.shrink import Shrink

        if not settings.scenario:
            raise UsageError("there is nothing to shrink without a scenario: --scenario NAME|PATH")
        self._target = Path(output)
        if self._target.is_dir():
            raise UsageError(f"{output}: it is a folder; choose another file (--output)")
        self._command, self._settings, self._key, self._clean = command, settings, key, clean
        self._staging = Staging(command, settings, key=key)
        self._shrink = Shrink(
            config=self._staging.config,
            scenario=load_scenarios(settings.scenario),
            seconds=timeout,
            clean=clean,
            message=lambda line: click.echo(f"cnx-mock: {line}", err=True),
        )

    def status(self) -> int:
        """Do it, show it, write it down: the exit status. Raises UsageError."""
        from cnx_mock.cli.program_runs import INTERRUPTED
        from cnx_mock.errors import ProgramError, SweepError

        try:
            complete = self._staging.complete(self._shrink.run)
        except SweepError as error:
            raise UsageError(str(error)) from None
        except ProgramError as error:
            click.echo(f"cnx-mock: {error}", err=True)
            return error.status
        if self._shrink.kept:
            self._show(self._shrink, complete)
        return 0 if complete else INTERRUPTED

    def _show(self, shrunk: "Shrink", complete: bool) -> None:
        from cnx_mock.sweep.reproduction import write_scenario

        line = _line("run", [str(self._target)], self._settings, self._key, self._clean, self._command)
        kept, injected = len(shrunk.kept), len(shrunk.injected)
        ending = f"{shrunk.runs} runs" if complete else f"{shrunk.runs} runs, stopped before the end"
        verb = "makes" if kept == 1 else "make"
        summary = f"{kept} of {injected} faults {verb} CMD fail ({shrunk.failure}), {ending}"
        titles = [each.title for each in shrunk.kept]
        try:
            write_scenario(self._target, [*titles, line], shrunk.document(shrunk.kept))
        except OSError as error:
            raise UsageError(f"{self._target}: {error.strerror or error}") from None
        click.echo("\n".join([summary, *(f"  {title}" for title in titles), f"    {line}"]))
