"""`cnx-mock completion`: the script that makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a completion script.

    \b
    Examples:
      source <(cnx-mock completion bash)
      cnx-mock completion fish > ~/.config/fish/completions/cnx-mock.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, "click has all three"
    click.echo(kind(context.find_root().command, {}, "cnx-mock", "_CNX_MOCK_COMPLETE").source())
