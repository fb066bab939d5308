"""`cnx-mock rules`: the active rules in a sandbox of a running server."""

from typing import Any
from urllib.parse import quote

import click

from cnx_mock.cli.output import print_table
from cnx_mock.cli.target import DefaultGroup, Target, target_options
from cnx_mock.cli.terminal import shown
from cnx_mock.errors import UsageError
from cnx_mock.text.plural import counted
from cnx_mock.text.suggestions import did_you_mean, one_of


@click.group(cls=DefaultGroup, default="list")
def rules() -> None:
    """List or remove the rules of a running server's sandbox.

    `cnx-mock inject` adds one. Without a command, the rules are listed.

    \b
    Examples:
      cnx-mock rules list
      cnx-mock rules remove inject-1
    """


@rules.command("list")
@target_options
def list_rules(url: str, key: str) -> None:
    """List the rules: where each comes from, how often it fired, and why it has not."""
    found = Target(url, key).call("GET", "/rules", lambda answer: [_row(each) for each in answer["data"]])
    if found:
        print_table(found, head=("RULE", "ORIGIN", "FIRED", "WHY NOT"), optional=("ORIGIN",))
    else:
        click.echo("no rules")


def _row(rule: dict[str, Any]) -> list[str]:
    return [rule["id"], rule["origin"], str(rule["fired"]), rule["why"] or "-"]


@rules.command()
@click.argument("rule", metavar="RULE")
@target_options
def remove(rule: str, url: str, key: str) -> None:
    """Remove one rule, injected or the scenario's."""
    target = Target(url, key)
    known = target.call("GET", "/rules", lambda answer: [str(each["id"]) for each in answer["data"]])
    if rule not in known:
        rules = f"the rules are {one_of(known)}" if known else "there are no rules"
        raise UsageError(f"no rule is called {rule!r}{did_you_mean(rule, known)} ({rules})")
    target.call("DELETE", f"/rules/{quote(rule, safe='')}", dict)
    click.echo(shown(f"removed {rule}"))


@rules.command()
@target_options
def clear(url: str, key: str) -> None:
    """Remove every injected rule; the scenario's own stay."""
    number = Target(url, key).call("DELETE", "/rules", lambda answer: int(answer["deleted"]))
    click.echo(f"removed {counted(number, 'rule')}")
