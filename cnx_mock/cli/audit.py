"""`cnx-mock audit`: how well a client behaved, from the journal of the server that it called."""

from pathlib import Path

import click

from cnx_mock.audit.audit import check_any_calls, findings, thresholds
from cnx_mock.audit.call import Call, calls_of
from cnx_mock.audit.journals import entries_of, read_journal
from cnx_mock.audit.report import Form, report
from cnx_mock.audit.threshold import Threshold
from cnx_mock.cli import completions
from cnx_mock.cli.errors import FOUND
from cnx_mock.cli.journal import journals_of, key_option, server_url
from cnx_mock.cli.output import print_wrapped, reader_may_leave
from cnx_mock.cli.param_types import DEFAULT_URL
from cnx_mock.errors import UsageError
from cnx_mock.text.files import decoded, read_regular

_MAX_RECORDING = 1 << 28
"""The most bytes of a recording: 256 MiB."""


class _AuditCommand(click.Command):
    """The command with an option for every threshold."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options, those of the thresholds before `--help`."""
        *own, last = super().get_params(ctx)
        return [*own, *map(_option, thresholds()), last]


def _option(threshold: Threshold) -> click.Option:
    metavar = "DURATION" if threshold.is_duration else "N"
    return click.Option(
        [f"--{threshold.name}"],
        metavar=metavar,
        default=str(threshold.default),
        show_default=True,
        help=f"{_sentence(threshold.meaning)} {_sentence(threshold.reason)}",
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


@click.command(cls=_AuditCommand)
@server_url
@key_option
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read a journal from a file, not from a server.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="Print the findings in this form.",
)
@click.option(
    "--ignore",
    multiple=True,
    shell_complete=completions.audit_checks,
    metavar="CODE",
    help="Leave out a check; may be repeated.",
)
@click.option(
    "--also",
    multiple=True,
    shell_complete=completions.audit_checks,
    metavar="CODE",
    help="Add a check that only runs on request: gave-up, left-behind.",
)
@click.pass_context
def audit(
    context: click.Context,
    /,
    url: str | None,
    key: str | None,
    journal: Path | None,
    form: Form,
    ignore: tuple[str, ...],
    also: tuple[str, ...],
    **measures: str,
) -> None:
    """Report how well a client behaved, from a server's journal.

    The exit status is 1 if there are findings, and 2 if there are no requests to judge.

    \b
    Examples:
      cnx-mock audit
      cnx-mock audit http://127.0.0.1:8080 --key cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c
      cnx-mock audit --journal traffic.har --format sarif --ignore unread-parameter
      cnx-mock audit --also left-behind --poll-interval 2s
    """
    if journal is not None and (key is not None or url is not None):
        raise UsageError("--journal reads a file: leave URL and --key out")
    server = url or DEFAULT_URL
    limits = {name.replace("_", "-"): value for name, value in measures.items()}
    findings([], limits, ignore, also)  # a misspelt name is an error before anything is read
    calls = _from_file(journal) if journal is not None else calls_of(entries_of(journals_of(server, key)))
    found = findings(calls, limits, ignore, also)
    if not found:
        check_any_calls(calls, str(journal or server))
    text = report(found, form, str(journal or server))
    with reader_may_leave():
        if form == "text":
            print_wrapped(text)
        else:
            click.echo(text)
    context.exit(FOUND if found else 0)


def _from_file(path: Path) -> list[Call]:
    try:
        text = decoded(read_regular(path, _MAX_RECORDING))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a text file: {error.reason} at byte {error.start}") from None
    return read_journal(text, str(path))
