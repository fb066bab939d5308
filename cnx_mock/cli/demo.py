"""`cnx-mock demo`: clients side by side while something goes wrong. What it does is in `demo_show`."""

from typing import Any

import click

from cnx_mock.cli import completions
from cnx_mock.cli.lazy import uncollected
from cnx_mock.cli.options import settings_options
from cnx_mock.cli.param_types import DURATION


@click.command()
@click.argument("story", metavar="[STORY]", default="lost-response", shell_complete=completions.stories)
@click.option(
    "--client",
    "clients",
    multiple=True,
    metavar="CMD",
    help="Show this program too, in addition to the naive and the careful client; may be repeated.",
)
@click.option(
    "--timeout",
    type=DURATION,
    default="60s",
    show_default=True,
    metavar="DURATION",
    help="Stop a client that runs longer.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="Serve at this port; by default a free one.",
)
@click.option("--no-browser", is_flag=True, help="Print the page's address, and do not open a browser.")
@click.option("--script", is_flag=True, help="Show everything in the terminal without a page, and end when it is over.")
@click.option(
    "--speed",
    type=click.FloatRange(0, 1000, min_open=True),
    default=1.0,
    show_default=True,
    metavar="FACTOR",
    help="Run the demo this many times as fast.",
)
@settings_options("seed", "allow_host", "ca_dir")
@click.pass_context
def demo(
    context: click.Context,
    /,
    story: str,
    clients: tuple[str, ...],
    timeout: float,
    port: int,
    no_browser: bool,
    script: bool,
    speed: float,
    **options: Any,
) -> None:
    """Show clients side by side while something goes wrong, and what it costs.

    Two programs do the same work: one is naive, the other careful. A page shows live what they try, what they
    duplicate, leak or lose, and what that costs a month. The server runs until Ctrl-C.

    \b
    Stories:
      lost-response (the default): a create happens, but its answer never arrives;
      thundering-429s: the rate limit is used up, again and again;
      regional-outage: in the middle of the work, a region takes no new instances;
      credits-run-out: the money is enough for two of three instances.

    STORY can also be a scenario of the gallery, or the path of a scenario file. --client shows your own programs too.
    They find the mock as with `cnx-mock run`. Each runs once with the story, and then twice without faults, to compare
    what it leaves.

    The exit status is 0 with --script, 2 for bad input or a client that cannot be started, and 130 after Ctrl-C.

    \b
    Examples:
      cnx-mock demo
      cnx-mock demo thundering-429s --script
      cnx-mock demo my-story.yaml --client 'python deploy.py'
      cnx-mock demo lost-response --client ./old.sh --client ./new.sh
    """
    with uncollected():
        from cnx_mock.cli.demo_show import DemoCommand  # lazy: --help and completion need no server

    command = DemoCommand(story, clients, options, seconds=timeout, port=port, speed=speed)
    context.exit(command.run(script=script, browser=not (no_browser or script)))
