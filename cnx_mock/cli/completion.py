"""`cnx-mock completion`: the script that makes a shell complete commands, options and names."""

import click

from cnx_mock.cli.shells import SHELLS, script


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a completion script.

    With it, the Tab key completes commands, options, and the names of scenarios, fixtures, faults, operations and
    readings.

    \b
    Examples:
      source <(cnx-mock completion bash)
      source <(cnx-mock completion zsh)
      cnx-mock completion fish > ~/.config/fish/completions/cnx-mock.fish
    """
    click.echo(script(shell, context.find_root().command))
