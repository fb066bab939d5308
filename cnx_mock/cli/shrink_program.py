"""What `cnx-mock shrink` does: it searches for the fewest faults, writes their scenario, and shows both."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cnx_mock.cli.errors import INTERRUPTED
from cnx_mock.cli.options import command_line
from cnx_mock.cli.output import print_result
from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.cli.program_settings import program_settings
from cnx_mock.cli.terminal import shown, shown_line
from cnx_mock.errors import UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.sweep.reproduction import write_scenario
from cnx_mock.sweep.shrink import Shrink
from cnx_mock.text.plural import counted


class ProgramShrink:
    """One failing run of one program, to be shrunk. Raises what its settings and scenarios raise."""

    def __init__(
        self,
        command: tuple[str, ...],
        options: Mapping[str, Any],
        *,
        key: str | None,
        expect_clean: bool,
        timeout: float | None,
        path: Path,
    ) -> None:
        self._settings = settings = program_settings(options)
        if not settings.scenario:
            raise UsageError("there is nothing to shrink without a scenario: --scenario NAME|PATH")
        self._command, self._key, self._expect_clean, self._path = command, key, expect_clean, path
        self._runs = ProgramRuns(command, settings, key=key)
        self._search = Shrink(
            config=self._runs.config,
            scenario=load_scenarios(settings.scenario),
            seconds=timeout,
            clean=expect_clean,
            message=lambda line: click.echo(shown_line(f"cnx-mock: {line}"), err=True),
        )

    def run(self) -> int:
        """Search, write and show the result, and return the exit status.

        Raises SweepError, ProgramError, and OSError if the scenario cannot be written.
        """
        complete = self._runs.complete(self._search.run)
        if self._search.kept:
            line = self._written()
            print_result(shown("\n".join([*self._summary(complete), f"    {line}"])), complete=complete)
        return 0 if complete else INTERRUPTED

    def _written(self) -> str:
        """Write the scenario, and return the line that runs it."""
        line = command_line(
            "run",
            self._settings,
            self._command,
            scenarios=[str(self._path)],
            key=self._key,
            expect_clean=self._expect_clean,
        )
        titles = [each.title for each in self._search.kept]
        write_scenario(self._path, [*titles, line], self._search.document(self._search.kept))
        return line

    def _summary(self, complete: bool) -> list[str]:
        kept, injected = self._search.kept, self._search.injected
        verb = "makes" if len(kept) == 1 else "make"
        ending = counted(self._search.runs, "run") + ("" if complete else ", stopped before the end")
        faults = f"{len(kept)} of {counted(len(injected), 'fault')}"
        return [f"{faults} {verb} CMD fail ({self._search.failure}), {ending}", *(f"  {each.title}" for each in kept)]
