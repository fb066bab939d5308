"""The command `cnx-mock`: the table of its commands, each in a module of its own."""

import atexit
import gc
import os

import click

from cnx_mock import __version__
from cnx_mock.cli.errors import INTERRUPTED, TopGroup
from cnx_mock.cli.lazy import LazyCommand
from cnx_mock.cli.shells import VARIABLE, register
from cnx_mock.cli.streams import discard_stdout, end_output, open_missing, prepare_output
from cnx_mock.settings import foreign, variable

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

COMMANDS = {
    name: LazyCommand(f"cnx_mock.cli.{module}", name.replace("-", "_"), short_help)
    for name, module, short_help in (
        ("audit", "audit", "Report how well a client behaved, from a server's journal."),
        ("ca", "ca", "Show or renew the local certificate authority (CA)."),
        ("clock", "clock", "Read or move the clock of a running server's sandbox."),
        ("completion", "completion", "Print a completion script."),
        ("demo", "demo", "Show clients side by side while something goes wrong, and what it costs."),
        ("env", "env", "Print the environment variables with which programs use a running server."),
        ("fixtures", "fixtures", "List, show and check fixtures: worlds to start from."),
        ("inject", "inject", "Add a fault to a running server's sandbox, and print the rule's name."),
        ("journal", "journal", "Follow the journal of a running server, or export it."),
        ("openapi", "reference", "Print the OpenAPI document."),
        ("proxy-config", "proxy_config", "Configure a proxy in front of several servers."),
        ("readings", "reference", "List the ambiguities of the API reference and their possible readings."),
        ("routes", "reference", "List every endpoint."),
        ("rules", "rules", "List or remove the rules of a running server's sandbox."),
        ("run", "run", "Run a program against a private mock, and report what it did there."),
        ("scenarios", "scenarios", "List, check and write scenarios, and change the one of a running server."),
        ("serve", "serve", "Serve the API until Ctrl-C."),
        ("shrink", "shrink", "Find the few faults that make a program fail under a scenario."),
        ("state", "state", "Save, load or reset the world of a running server's sandbox."),
        ("sweep", "sweep", "Run a program once for every fault at every call, and judge the outcome."),
        ("sweep-merge", "sweep_merge", "Merge the reports of a sweep's shards."),
    )
}
"""Every command: its name, its module, and its short help."""


@click.group(cls=TopGroup, lazy=COMMANDS, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="cnx-mock", message="%(prog)s %(version)s")
def cli() -> None:
    """A local sandbox of the CloudNexus API that fails when you ask it to.

    \b
    Examples:
      cnx-mock serve
      cnx-mock serve --scenario flaky-network --seed 7
      cnx-mock run --scenario lost-response -- ./deploy.sh
      cnx-mock scenarios check my-story.yaml
      cnx-mock sweep -- python deploy.py
      cnx-mock routes
      cnx-mock audit
    """


def main() -> None:
    """Run the command, and leave with its exit status."""
    open_missing()
    prepare_output()
    atexit.register(end_output)
    atexit.register(gc.freeze)  # what there is goes with the process: to look for cycles in it takes 28 ms after a run
    for name in foreign(os.environ):
        click.echo(f"cnx-mock: ignoring {name}={os.environ.pop(name)}: Kubernetes or compose set it", err=True)
    if VARIABLE in os.environ:
        register()
    elif any(name.startswith(variable("")) for name in os.environ):
        from cnx_mock.cli.variables import misspelt  # lazy: most environments have no variable of ours

        for name, meant in misspelt(os.environ).items():
            click.echo(f"cnx-mock: nothing reads {name}, did you mean {meant}?", err=True)
    try:
        cli(prog_name="cnx-mock")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            discard_stdout()  # it may be what the command waited for
        raise
