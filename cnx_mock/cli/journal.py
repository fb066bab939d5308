"""`cnx-mock journal`: the journal of a running server, as a file, or as it grows."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from cnx_mock.audit.journals import Format, entries_of, journal_text
from cnx_mock.cli.lazy import Group
from cnx_mock.cli.param_types import DEFAULT_URL, SERVER_URL, TEST_KEY
from cnx_mock.cli.running_server import ask
from cnx_mock.errors import UsageError


def server_url(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take the URL of a running server as its argument, or by `--url` as other commands do. It gets
    `url`, which is None if neither is given."""

    @click.argument("place", type=SERVER_URL, required=False, metavar="[URL]")
    @click.option("--url", type=SERVER_URL, help=f"Read from this running server; by default {DEFAULT_URL}.")
    @wraps(command)
    def with_url(place: str | None, url: str | None, **options: Any) -> Any:
        if place is not None and url is not None:
            raise UsageError("the server is given twice: leave --url or the URL out")
        return command(url=place or url, **options)

    return with_url


key_option = click.option(
    "--key",
    type=TEST_KEY,
    metavar="KEY",
    help="Read only the sandbox of this test key; by default all sandboxes, and requests without a sandbox.",
)


@click.group(cls=Group)
def journal() -> None:
    """Follow the journal of a running server, or export it."""


@journal.command()
@server_url
@key_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "har"]),
    default="jsonl",
    show_default=True,
    help="Print the journal in this format.",
)
def export(url: str | None, key: str | None, form: Format) -> None:
    """Print the journal as JSON lines or as HAR 1.2.

    Keys are redacted. `cnx-mock audit --journal` reads both formats.

    \b
    Examples:
      cnx-mock journal export > traffic.jsonl
      cnx-mock journal export --key cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c --format har > traffic.har
    """
    server = url or DEFAULT_URL
    click.echo(journal_text(entries_of(journals_of(server, key)), form, server), nl=False)


@journal.command()
@server_url
@key_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    show_default=True,
    help="Print lines for people, or JSON lines.",
)
def follow(url: str | None, key: str | None, form: str) -> None:
    """Print the events of a running server as they happen.

    Events are requests with the faults that hit them, and changes of phases, clocks, accounts, resources and sandboxes.
    The exit status is 0 after Ctrl-C, and 1 if the server stops.

    \b
    Examples:
      cnx-mock journal follow
      cnx-mock journal follow --key cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c
      cnx-mock journal follow --format jsonl | jq 'select(.event == "fired")'
    """
    from cnx_mock.cli.follow import follow_events  # lazy: `export` needs none of it

    follow_events(url or DEFAULT_URL, key, form)


def journals_of(url: str, key: str | None) -> list[dict[str, Any]]:
    """Return every journal of a server, or only that of one key. Raises UsageError if the server cannot be asked."""
    return ask(url, "/_mock/journals", lambda answer: list(answer["data"]), key)
