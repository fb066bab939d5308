"""The sandbox of a running server that a command reads or changes: its options, and calls to it."""

from collections.abc import Callable
from typing import Any

import click

from cnx_mock.cli.lazy import Group
from cnx_mock.cli.param_types import DEFAULT_URL, SERVER_URL, TEST_KEY
from cnx_mock.cli.running_server import Result, ask
from cnx_mock.dataclass import dataclass
from cnx_mock.world.keys import EXAMPLE_KEY


@dataclass(frozen=True, slots=True)
class Target:
    """One sandbox of a running server."""

    url: str
    key: str

    def call(self, method: str, path: str, read: Callable[[Any], Result], body: Any = None) -> Result:
        """Return what `read` takes from the answer; `path` comes after `/_mock`. Raises what `ask` raises."""
        return ask(self.url, f"/_mock{path}", read, self.key, method=method, body=body)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose a sandbox of a running server; the command gets `url` and `key`."""
    for add in (
        click.option(
            "--key",
            type=TEST_KEY,
            default=EXAMPLE_KEY,
            metavar="KEY",
            help="Use the sandbox of this test key; by default the reference's example, which `serve` prints.",
        ),
        click.option(
            "--url", type=SERVER_URL, default=DEFAULT_URL, show_default=True, help="Call this running server."
        ),
    ):
        command = add(command)
    return command


class DefaultGroup(Group):
    """A group that takes its first command if none is named: `cnx-mock clock --key KEY` is `cnx-mock clock show …`."""

    def __init__(self, *arguments: Any, default: str, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before options that are not the group's own."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = [self._default, *args]
        return super().parse_args(ctx, args)
