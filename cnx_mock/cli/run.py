"""`cnx-mock run`: a program, with a mock of its own for as long as it runs."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnx_mock.cli.errors import BAD, refuse, usable
from cnx_mock.cli.options import PROGRAM, program_settings, settings_options, test_key
from cnx_mock.cli.report_file import Report
from cnx_mock.errors import UsageError
from cnx_mock.programs.environment import Destination, bundle_of

if TYPE_CHECKING:
    from cnx_mock.cli.run_summary import Summary
    from cnx_mock.python_api.server import MockServer
    from cnx_mock.settings import Settings

UNMET = 3
"""Exit status where the program succeeded, and what was expected of it did not happen."""


@click.command(context_settings={"allow_interspersed_args": False})
@settings_options(*PROGRAM, "journal_size")
@click.option("--key", callback=test_key, metavar="KEY", help="The test key that CMD has hard-coded; a fresh one else.")
@click.option("--report", metavar="FILE", help="Write summary and journal to this file, as JSON.")
@click.option("--expect-clean", is_flag=True, help="What CMD leaves in the account is exit status 3.")
@click.option("--quiet", is_flag=True, help="No summary on stderr; what makes the exit status 3 is said anyway.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] CMD...")
def run(
    command: tuple[str, ...], key: str | None, report: str | None, expect_clean: bool, quiet: bool, **options: Any
) -> None:
    """Run CMD against a private mock, and say on stderr what it did there.

    CMD finds the mock by CLOUDNEXUS_BASE_URL and CLOUDNEXUS_API_KEY; and https://api.cloudnexus.com is the mock too, by
    a proxy and a CA that curl, Python, Go and Ruby obey, and Node from 22.21 and 24.5 on (fetch alone: 24.0). Other
    hosts are refused by the proxy unless they are allowed.

    The exit status is CMD's; 128+N where signal N killed it, 127 where it is not found, 126 where it cannot be
    executed. Where CMD succeeds, an unmet `expect` of the scenario is 3. Bad options are 2, before CMD starts.

    \b
    Examples:
      cnx-mock run -- ./deploy.sh
      cnx-mock run --scenario lost-response --expect-clean -- ./deploy.sh --region us-east-1
      cnx-mock run --fixture small-team --report report.json -- npm test
      cnx-mock run --allow-host example.com -- ./deploy.sh
    """
    from cnx_mock.programs.passthrough import Signals

    signals = Signals()
    settings = usable(lambda: program_settings(options))
    target = None if report is None else usable(lambda: Report(report))
    sys.exit(_Run(settings, command, key, target, expect_clean, quiet).status(signals))


class _Run:
    """One run of one program."""

    def __init__(
        self,
        settings: "Settings",
        command: tuple[str, ...],
        key: str | None,
        report: Report | None,
        expect_clean: bool,
        quiet: bool,
    ) -> None:
        self._settings = settings
        self._command = command
        self._key = key
        self._report = report
        self._expect_clean = expect_clean
        self._quiet = quiet

    def status(self, signals: Any) -> int:
        """Run it; the exit status."""
        import tempfile

        from cnx_mock.errors import ProgramError

        server = self._server()
        try:
            with tempfile.TemporaryDirectory(prefix="cnx-mock-", ignore_cleanup_errors=True) as folder:
                return self._with(server, Path(folder), signals)
        except ProgramError as error:
            _say([str(error)])
            return error.status
        finally:
            server.stop()

    def _server(self) -> "MockServer":
        from cnx_mock.errors import StartError
        from cnx_mock.python_api.server import MockServer

        try:
            server: MockServer = usable(MockServer(settings=self._settings).start)
        except StartError as error:
            refuse(str(error))
        return server

    def _with(self, server: "MockServer", folder: Path, signals: Any) -> int:
        from cnx_mock.audit.audit import findings
        from cnx_mock.audit.call import calls_of
        from cnx_mock.cli.run_summary import taken
        from cnx_mock.cli.shrink import offer
        from cnx_mock.python_api.audit import last_words
        from cnx_mock.python_api.control import Control
        from cnx_mock.world.clock import ticks

        sandbox = server.sandbox(key=self._key)
        bundle = folder / "ca-bundle.pem"
        bundle.write_bytes(bundle_of(server.ca_path, os.environ, bundle))
        destination = Destination(
            server.url, sandbox.api_key, server.proxy_url, server.ca_path, bundle, self._settings.allow_host
        )
        began = ticks()
        status: int = signals.run([*self._command], os.environ | destination.variables(os.environ))
        milliseconds = (ticks() - began) / 1000
        control = Control(server.url)
        summary, journal = taken(control, server.sandboxes())
        control.close()
        found = findings(calls_of(journal))
        final = self._judged(status, summary)
        self._print(summary, final != status)
        if not self._quiet:
            _say(last_words(found))
            if final and self._by_chance(summary):
                offered = offer(self._settings, self._key, self._expect_clean, self._command)
                _say(["which of these faults made it fail? To find out:", f"  {offered}"])
        if self._report is not None:
            try:
                data = self._data(summary, status, final, milliseconds)
                self._report.write(data | {"findings": [each.document() for each in found], "journal": journal})
            except UsageError as error:
                _say([str(error)])
                return final or BAD
        return final

    def _judged(self, status: int, summary: "Summary") -> int:
        failed = summary.unmet or (self._expect_clean and summary.left)
        return UNMET if status == 0 and failed else status

    def _by_chance(self, summary: "Summary") -> bool:
        """Whether several faults struck, or one that need not have: then it is worth knowing which mattered."""
        from cnx_mock.http.app import load_scenarios

        random = {rule.id for rule in load_scenarios(self._settings.scenario).rules if "probability" in rule.document}
        return sum(each.fired for each in summary.faults) > 1 or any(each.rule in random for each in summary.faults)

    def _print(self, summary: "Summary", failed: bool) -> None:
        if not self._quiet:
            _say(summary.lines())
        elif failed:
            _say([*(summary.leftovers() if self._expect_clean else ()), *summary.missing()])

    def _data(self, summary: "Summary", status: int, final: int, milliseconds: float) -> dict[str, Any]:
        from cnx_mock import __version__
        from cnx_mock.api.parsing import masked

        return {
            "version": __version__,
            "command": [masked(os.fsencode(each)).decode("utf-8", "replace") for each in self._command],
            "command_status": status,
            "exit_status": final,
            "duration_ms": round(milliseconds, 3),
            "seed": int(self._settings.seed),
            "scenario": list(self._settings.scenario),
            "fixture": self._settings.fixture or None,
            "expect_clean": self._expect_clean,
            "summary": summary.data(),
        }


def _say(lines: Iterable[str]) -> None:
    """On stderr, whether anybody reads it or not."""
    with suppress(OSError):
        sys.stderr.write("".join(f"cnx-mock: {line}\n" for line in lines))
        sys.stderr.flush()
