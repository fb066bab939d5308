"""`cnx-mock audit` and `cnx-mock journal`: how well a client behaved, and the journal that says so."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnx_mock.cli.errors import usable
from cnx_mock.errors import UsageError
from cnx_mock.world.keys import is_test_key

if TYPE_CHECKING:
    from cnx_mock.audit.call import Call

FOUND = 1
"""Exit status of an audit that has something to say."""

DEFAULT_URL = "http://127.0.0.1:4269"
"""Where `cnx-mock serve` serves unless told otherwise."""

_WHERE = click.argument("url", default=DEFAULT_URL, metavar="[URL]")
_KEY = click.option(
    "--key",
    metavar="KEY",
    help="The test key whose sandbox is meant; without it every one, and the server's own journal.",
)


class _Audit(click.Command):
    """The command with an option for every threshold; the checks are loaded only when it is asked for."""

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        """The options, those of the thresholds last."""
        from cnx_mock.audit.audit import thresholds

        return [*super().get_params(context), *map(_option, thresholds())]


def _option(threshold: Any) -> click.Option:
    metavar = "DURATION" if threshold.is_duration else "N"
    return click.Option(
        [f"--{threshold.name}"],
        metavar=metavar,
        default=str(threshold.default),
        show_default=True,
        help=f"{threshold.reason[0].upper()}{threshold.reason[1:]}.",
    )


@click.command(cls=_Audit)
@_WHERE
@_KEY
@click.option(
    "--journal", type=click.Path(path_type=Path), metavar="FILE", help="A journal's file in place of a server."
)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave a check out; several add up.")
@click.option(
    "--also", multiple=True, metavar="CODE", help="Run a check that looks only when asked: gave-up, left-behind."
)
@click.pass_context
def audit(
    context: click.Context,
    /,
    url: str,
    key: str | None,
    journal: Path | None,
    form: Any,
    ignore: tuple[str, ...],
    also: tuple[str, ...],
    **measures: str,
) -> None:
    """Say how well a client behaved, by the journal of the server that it called. Exit status 1 when something is
    found.

    \b
    Examples:
      cnx-mock audit
      cnx-mock audit http://127.0.0.1:8080 --key cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c
      cnx-mock audit --journal traffic.har --format sarif --ignore unread-parameter
      cnx-mock audit --also left-behind --poll-interval 2s
    """
    from cnx_mock.audit.audit import findings
    from cnx_mock.audit.report import report

    if journal is not None and (key is not None or _given(context, "url")):
        usable(_refusing("--journal is a file's: leave URL and --key out"))
    thresholds = {name.replace("_", "-"): value for name, value in measures.items()}

    def look() -> list[Any]:
        findings([], thresholds, ignore, also)  # what is misspelt is said before anything is read
        calls = _from_file(journal) if journal is not None else _from_server(url, key)
        return findings(calls, thresholds, ignore, also)

    found = usable(look)
    click.echo(report(found, form, str(journal or url)))
    sys.exit(FOUND if found else 0)


@click.group()
def journal() -> None:
    """The journal of a running server, as a file."""


@journal.command()
@_WHERE
@_KEY
@click.option("--format", "form", type=click.Choice(["jsonl", "har"]), default="jsonl", show_default=True)
def export(url: str, key: str | None, form: Any) -> None:
    """Print the journal as JSON lines or as HAR 1.2, keys redacted. `cnx-mock audit --journal` reads both.

    \b
    Examples:
      cnx-mock journal export > traffic.jsonl
      cnx-mock journal export --key cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c --format har > traffic.har
    """
    from cnx_mock.audit.journals import entries_of, written

    journals = usable(lambda: _journals(url, key))
    click.echo(written(entries_of(journals), form, url.rstrip("/")), nl=False)


def _given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def _refusing(message: str) -> Callable[[], None]:
    def refuse() -> None:
        raise UsageError(message)

    return refuse


def _from_file(path: Path) -> "list[Call]":
    from cnx_mock.audit.journals import read

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text: {error.reason} at byte {error.start}") from None
    return read(text, str(path))


def _from_server(url: str, key: str | None) -> "list[Call]":
    from cnx_mock.audit.call import calls_of
    from cnx_mock.audit.journals import entries_of

    return calls_of(entries_of(_journals(url, key)))


def _journals(url: str, key: str | None) -> list[dict[str, Any]]:
    """Every journal of a server, or one key's. Raises UsageError where there is none to be had."""
    from cnx_mock.errors import ControlError
    from cnx_mock.python_api.control import Control

    if key is not None and not is_test_key(key):
        raise UsageError("--key is no test key: cnx_test_ and 32 hex digits")
    if not re.fullmatch(r"http://[^/\s]+/?", url):
        raise UsageError(f"{url!r} is no URL of a cnx-mock: write {DEFAULT_URL}")
    control = Control(url.rstrip("/"))
    try:
        data: list[dict[str, Any]] = control.call("GET", "/_mock/journals", key)["data"]
    except ConnectionError as error:
        raise UsageError(f"{error}: start one with `cnx-mock serve`") from None
    except ControlError as error:
        raise UsageError(f"{url}: {error}") from None
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise UsageError(f"what answers at {url} is no cnx-mock, or an older one") from None
    finally:
        control.close()
    return data
