"""`cnx-mock sweep`: a program, once for every fault at every call."""

import sys
from typing import TYPE_CHECKING, Any

import click

from cnx_mock.cli.errors import usable
from cnx_mock.cli.options import PROGRAM, duration, program_settings, settings_options
from cnx_mock.errors import UsageError

if TYPE_CHECKING:
    from cnx_mock.cli.sweeping import Sweeping

_WORDS: dict[str, Any] = {"multiple": True, "metavar": "NAMES"}


def _split(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Words given one by one, or with commas between them."""
    return tuple(word.strip() for each in value for word in each.split(",") if word.strip())


@click.command(context_settings={"allow_interspersed_args": False})
@settings_options(*PROGRAM)
@click.option("--faults", callback=_split, **_WORDS, help="These faults only, such as reset-after,hang; see below.")
@click.option(
    "--operations", callback=_split, **_WORDS, help="Calls of these operations only; `*` globs, `!` excludes."
)
@click.option("--pairs", is_flag=True, help="Two faults at two calls as well: many runs.")
@click.option("--max-runs", type=click.IntRange(1), metavar="N", help="At most so many runs, drawn by the seed.")
@click.option(
    "--timeout", callback=duration, metavar="DURATION", help="Limit of a run; 3 × CMD's own time + 15s unless given."
)
@click.option("-j", "jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Runs at a time.")
@click.option(
    "--report", "reports", multiple=True, metavar="FILE", help="Write a report: .html, .json, or .xml for JUnit."
)
@click.option("--fail-on", callback=_split, **_WORDS, help="Verdicts that make the exit status 1, or `none`.")
@click.option("--baseline", metavar="FILE", help="An earlier JSON report: its bad cells are accepted.")
@click.option(
    "--scenarios",
    "folder",
    default=".cnx-mock/sweep",
    show_default=True,
    metavar="DIR",
    help="Where bad cells' scenario files go.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="[--] CMD...")
def sweep(**options: Any) -> None:
    """Run CMD once for every fault at every call, and say what its failures leave behind.

    CMD is run twice without faults, then once for each cell of the matrix, in a fresh world each time. It finds the
    mock as under `cnx-mock run`: by CLOUDNEXUS_BASE_URL and CLOUDNEXUS_API_KEY, or by the cloud's own address. For each
    bad cell a scenario file is written, and the line that runs it is shown.

    The exit status is 1 for bad cells; 2 where CMD fails by itself or makes no calls, and for bad options; 127 where
    CMD is not found, 126 where it cannot be executed; 130 after Ctrl-C.

    \b
    Faults: error, error-after, outage (five times), down (from there on; only
    by name), reset, reset-after, rate-limit, hang, hang-after, truncate,
    bad-json, no-credits, never-ready, stale.
    Verdicts, the worst first: hung, duplicated, leaked, lost, hammered, failed
    cleanly, survived. The first four make the exit status 1.

    \b
    Examples:
      cnx-mock sweep -- python deploy.py
      cnx-mock sweep -j 4 --faults reset-after,error-after -- ./deploy.sh
      cnx-mock sweep --report sweep.html --report sweep.json -- npm run deploy
      cnx-mock sweep --baseline sweep.json --report new.json -- npm run deploy
    """
    sys.exit(usable(lambda: _made(options).status()))


def _made(options: dict[str, Any]) -> "Sweeping":
    """The sweep that is asked for. Raises UsageError, and what scenarios, fixtures and settings raise."""
    from cnx_mock.cli.sweeping import Sweeping, Target
    from cnx_mock.errors import BaselineError, SweepPlanError

    targets = [Target(name) for name in options.pop("reports")]
    settings = program_settings({name: options.pop(name) for name in PROGRAM})
    try:
        return Sweeping(settings=settings, targets=targets, **options)
    except (SweepPlanError, BaselineError) as error:
        raise UsageError(str(error)) from None
