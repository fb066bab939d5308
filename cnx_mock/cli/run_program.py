"""What `cnx-mock run` does: it starts a server, runs the program in the foreground, and says what the program did."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnx_mock import __version__
from cnx_mock.cli.errors import BAD_INPUT, INTERRUPTED, UNMET
from cnx_mock.cli.options import command_line
from cnx_mock.cli.program_settings import program_settings
from cnx_mock.cli.provisioning_wait import wait_lines
from cnx_mock.cli.report_file import ReportFile
from cnx_mock.cli.run_summary import RunRecord, RunSummary, finding_lines, taken
from cnx_mock.cli.run_twice import RunTwice, read_crash_point
from cnx_mock.cli.streams import settle
from cnx_mock.cli.terminal import painted, shown_line, wants_colour
from cnx_mock.errors import UsageError
from cnx_mock.http.app import load_scenarios
from cnx_mock.programs.environment import Destination, trust_bundle
from cnx_mock.programs.folders import program_folders
from cnx_mock.programs.passthrough import Foreground
from cnx_mock.programs.start import ProgramResult
from cnx_mock.python_api.server import MockServer, control_of

if TYPE_CHECKING:
    from cnx_mock.audit.audit import Finding

_COLOURS = {"expected": "red", "left behind": "yellow", "audit": "yellow"}
"""Of a line of the summary, by what stands before its colon."""


class ProgramRun:
    """One run of one program. Raises what its settings and scenarios raise."""

    def __init__(
        self,
        command: Sequence[str],
        options: Mapping[str, Any],
        *,
        key: str | None,
        reports: Sequence[ReportFile],
        expected: Sequence[str],
        expect_same: bool,
        expect_clean: bool,
        quiet: bool,
        crash_at: str | None,
        rerun: bool,
        folder: Path | None,
    ) -> None:
        if crash_at is not None and rerun:
            raise UsageError("--crash-at already runs CMD a second time: leave out --rerun")
        self._expect = _read_expected(expected)
        self._settings = settings = program_settings(options)
        first = load_scenarios(settings.scenario[:1]) if rerun and settings.scenario else None
        self._second = RunTwice(None if crash_at is None else read_crash_point(crash_at), rerun, first)
        self._folder = folder
        self._command = command
        self._key = key
        self._reports = reports
        self._expect_same = expect_same
        self._expect_clean = expect_clean
        self._quiet = quiet

    def run(self, foreground: Foreground) -> int:
        """Run it, and return the exit status. Raises ProgramError, StartError, and what fixtures raise."""
        with MockServer(settings=self._settings) as server:
            result = self._result(server, foreground)
            control = control_of(server)
            record = taken(control, server.sandboxes(), self._expect)
            control.close()
        summary = record.summary
        if self._expect_same and result.status == 0 and not self._compare(record):
            return INTERRUPTED
        found, wait = _judged(record.journal, self._second.requests_before)
        status = self._status(result, summary)
        self._print(summary, found, wait, command_failed=result.status != 0)
        if not self._reports:
            return status
        report = self._document(summary, result, status)
        report |= {
            "provisioning_wait_ms": wait / 1000,
            "findings": [each.document() for each in found],
            "requests_before_second_run": self._second.requests_before,
            "journal": record.journal,
        }
        from cnx_mock.cli.run_report import FORMS  # lazy: only --report needs it

        settle()  # the report may go to stderr too
        try:
            with foreground.interruptible():
                for file in self._reports:
                    file.write(FORMS[file.suffix](report))
        except UsageError as error:  # the program's own failure is the more important one
            _print_lines([str(error)])
            return status or BAD_INPUT
        except KeyboardInterrupt:
            return status or INTERRUPTED
        return status

    def _result(self, server: MockServer, foreground: Foreground) -> ProgramResult:
        self._second.prepare(server)
        sandbox = server.sandbox(key=self._key)
        with trust_bundle(server.ca_path, os.environ) as bundle, program_folders(self._folder) as folders:
            place = Destination(
                server.url, sandbox.api_key, server.proxy_url, server.ca_path, bundle, self._settings.allow_host
            )
            settle()
            environ = {**place.environment(os.environ), **folders.variables}

            def run() -> ProgramResult:
                return foreground.run(self._command, environ, folders.working)

            return self._second.result(server, foreground, run)

    def _compare(self, record: RunRecord) -> bool:
        """Run the program without faults, and add to the summary how what is left differs. Return False if a signal
        ended that."""
        if not self._quiet:
            _print_lines(["CMD runs again without faults, to compare what it leaves (--expect-same)"])
        from cnx_mock.cli.run_expectations import RunWithoutFaults  # lazy: only --expect-same needs it

        found = RunWithoutFaults(self._command, self._settings, self._key).differences(record.states)
        record.summary.unmet += found or ()
        return found is not None

    def _status(self, result: ProgramResult, summary: RunSummary) -> int:
        """Return the program's exit status; if it succeeded and should not have, 3."""
        failed = summary.unmet or (self._expect_clean and summary.left) or self._second.not_reached
        return UNMET if result.status == 0 and failed else result.shell_status

    def _print(self, summary: RunSummary, found: Sequence["Finding"], wait: int, *, command_failed: bool) -> None:
        if self._second.not_reached:
            _print_lines([f"CMD was not killed: it ended before {self._second.not_reached}"])
        unclean = ["expected: nothing is left behind (--expect-clean)"] if self._expect_clean and summary.left else []
        if self._quiet:
            if not command_failed:
                _print_lines([*(summary.leftovers() if self._expect_clean else ()), *unclean, *summary.missing()])
            return
        _print_lines([*summary.lines(), *unclean])
        if wait:
            _print_lines(wait_lines(wait, self._settings, load_scenarios(self._settings.scenario)))
        _print_lines(finding_lines(found, self._reports[0].name if self._reports else "--report FILE"))
        if command_failed and self._is_by_chance(summary):
            line = command_line("shrink", self._settings, self._command, key=self._key, expect_clean=self._expect_clean)
            _print_lines(["which of these faults made it fail? To find out:", f"  {line}"])

    def _is_by_chance(self, summary: RunSummary) -> bool:
        """Return whether several faults struck, or one that was drawn: then it helps to know which mattered."""
        random = {rule.id for rule in load_scenarios(self._settings.scenario).rules if "probability" in rule.document}
        return sum(each.fired for each in summary.faults) > 1 or any(each.rule in random for each in summary.faults)

    def _document(self, summary: RunSummary, result: ProgramResult, status: int) -> dict[str, Any]:
        return {
            "version": __version__,
            "command": [os.fsencode(each).decode("utf-8", "replace") for each in self._command],
            "command_status": result.shell_status,
            "exit_status": status,
            "duration_ms": round(result.seconds * 1000, 3),
            "seed": int(self._settings.seed),
            "scenario": list(self._settings.scenario),
            "fixture": self._settings.fixture or None,
            "expect": self._expect,
            "expect_same": self._expect_same,
            "expect_clean": self._expect_clean,
            "summary": summary.data(),
        }


def _read_expected(texts: Sequence[str]) -> dict[str, Any]:
    """Return the values of `--expect` as the `expect` of a scenario. Raises UsageError."""
    if not texts:
        return {}
    from cnx_mock.cli.run_expectations import read_expected  # lazy: only --expect needs it

    return read_expected(texts)


def _judged(journal: list[dict[str, Any]], before: int) -> tuple[Sequence["Finding"], int]:
    """Return what the audit finds in a journal, and the microseconds that CMD waited for provisioning. The calls up to
    this number, and the others, are judged separately, because they come from two processes."""
    if not journal:
        return (), 0
    from cnx_mock.audit.audit import findings  # lazy: a run without a call has nothing to judge
    from cnx_mock.audit.call import calls_of  # lazy: as above
    from cnx_mock.cli.provisioning_wait import provisioning_wait  # lazy: as above

    calls = calls_of(journal)
    return [*findings(calls[:before]), *findings(calls[before:])], provisioning_wait(calls)


def _print_lines(lines: Iterable[str]) -> None:
    """Write to stderr, whether it is read or not."""
    colour = wants_colour(sys.stderr)
    for line in lines:
        text = painted(shown_line(line), _COLOURS.get(line.partition(":")[0], ""), colour)
        sys.stderr.write(f"cnx-mock: {text}\n")
