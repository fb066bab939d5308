"""`cnx-mock serve`: one process that serves the API until a signal. What it does is in `serve_forever`."""

import os
import signal
from dataclasses import fields
from typing import Any

import click

from cnx_mock.cli.lazy import uncollected
from cnx_mock.cli.options import settings_options
from cnx_mock.errors import UsageError
from cnx_mock.settings import Settings

_WORKERS = (
    "--workers: all sandboxes are in the memory of one process, which workers cannot share. Start several servers, "
    "and let nginx send each key to one of them: cnx-mock proxy-config nginx --upstream http://127.0.0.1:4271 "
    "--upstream http://127.0.0.1:4272"
)


def _no_workers(context: click.Context, param: click.Parameter, value: str | None) -> None:
    """Raise UsageError if workers are asked for."""
    if value is not None:
        raise UsageError(_WORKERS)


class _ServeCommand(click.Command):
    """The command, which says of a word without an option to which one it probably belongs."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options. Raises click's UsageError for other words."""
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            word = ctx.args[0]
            if word.isdecimal():
                hint = f"; a port is written --port {word}"
            else:
                from cnx_mock.scenario import gallery  # lazy: only a mistake needs it

                named = word in gallery.gallery() or word.endswith((".yaml", ".yml"))
                hint = f"; a scenario is written --scenario {word}" if named else ""
            ctx.fail(f"serve takes no argument {word!r}{hint}")
        return rest


@click.command(cls=_ServeCommand)
@click.option("--workers", hidden=True, expose_value=False, is_flag=False, flag_value="", callback=_no_workers)
@click.option("--open", "opens", is_flag=True, help="Open the live page in the browser when ready.")
@settings_options(*(each.name for each in fields(Settings)))
def serve(opens: bool, **options: Any) -> None:
    """Serve the API until Ctrl-C.

    \b
    Examples:
      cnx-mock serve --port 8080
      cnx-mock serve --scenario insufficient-credits
      cnx-mock serve --open                the live page in the browser
      cnx-mock serve --tls                 HTTPS too; see `cnx-mock ca install-hint`
      cnx-mock serve --json --quiet        one JSON line when ready
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # nothing to tidy up yet; an exception could end in some C library
        signal.signal(number, lambda *_: os._exit(0))
    settings = Settings(**options)
    with uncollected():
        from cnx_mock.cli.serve_forever import serve_forever  # lazy: a signal during these imports ends it quietly

    serve_forever(settings, opens=opens)
