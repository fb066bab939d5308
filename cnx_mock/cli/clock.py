"""`cnx-mock clock`: the clock of a sandbox of a running server."""

from typing import Any

import click

from cnx_mock.cli.param_types import DURATION_TEXT
from cnx_mock.cli.target import DefaultGroup, Target, target_options


class _AmountCommand(click.Command):
    """A command with one argument. If that begins with a minus, it is refused as an amount and not as an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options, and then the amounts below zero."""
        negative = [each for each in args if each[:1] == "-" and each[1:2].isdecimal()]
        others = [each for each in args if each not in negative]
        return super().parse_args(ctx, [*others, "--", *negative] if negative and "--" not in args else args)


@click.group(cls=DefaultGroup, default="show")
def clock() -> None:
    """Read or move the clock of a running server's sandbox.

    Without a command, the clock is shown.

    \b
    Examples:
      cnx-mock clock advance 45s
      cnx-mock clock speed 60
      cnx-mock clock freeze
    """


@clock.command()
@target_options
def show(url: str, key: str) -> None:
    """Print the time, the speed, and whether the clock is frozen."""
    _print(Target(url, key), "GET")


@clock.command(cls=_AmountCommand)
@click.argument("duration", metavar="DURATION", type=DURATION_TEXT)
@target_options
def advance(duration: str, url: str, key: str) -> None:
    """Move the clock forward by a time such as 45s, 1m30s or 2h.

    When the command ends, everything that was due in this time has happened. The clock never goes back.
    """
    _print(Target(url, key), "POST", "/clock/advance", {"by": duration})


@clock.command("set")
@click.argument("instant", metavar="INSTANT")
@target_options
def set_clock(instant: str, url: str, key: str) -> None:
    """Move the clock forward to an instant such as 2027-01-01T00:00:00Z."""
    _print(Target(url, key), "PATCH", body={"now": instant})


@clock.command(cls=_AmountCommand)
@click.argument("factor", metavar="X", type=float)
@target_options
def speed(factor: float, url: str, key: str) -> None:
    """Set how many seconds of the sandbox's clock pass in a real second; 1 is the speed of real time."""
    _print(Target(url, key), "PATCH", body={"speed": factor})


@clock.command()
@target_options
def freeze(url: str, key: str) -> None:
    """Stop the clock: only `advance` and `set` move it."""
    _print(Target(url, key), "PATCH", body={"frozen": True})


@clock.command()
@target_options
def unfreeze(url: str, key: str) -> None:
    """Let the clock run again."""
    _print(Target(url, key), "PATCH", body={"frozen": False})


def _print(target: Target, method: str, path: str = "/clock", body: Any = None) -> None:
    """Make the call, and print the clock as it is after it."""
    click.echo(target.call(method, path, _line, body))


def _line(state: dict[str, Any]) -> str:
    pace = "frozen" if state["frozen"] else f"speed {state['speed']:g}"
    return f"{state['now']}  {pace}"
