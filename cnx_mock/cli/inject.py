"""`cnx-mock inject`: a rule for a sandbox of a running server."""

from collections.abc import Callable
from typing import Any

import click

from cnx_mock.cli import completions
from cnx_mock.cli.target import Target, target_options
from cnx_mock.cli.terminal import shown

FAULT = {
    "error": ("CODE", "Answer with an error of the API, such as INTERNAL_ERROR or RATE_LIMITED."),
    "status": ("N", "Answer with an error status, such as 503; with --error, it replaces the error's status."),
    "message": ("TEXT", "Set the error's message."),
    "details": ("YAML", "Set the error's details: '{current_balance: \"$2.45\"}'."),
    "retry_after": ("TIME", "Add Retry-After to the error: 2s."),
    "gateway": ("N", "Answer with an HTML page of a load balancer: 502, 503 or 504."),
    "revoked": ("TIME", "Refuse the key from this call on: forever, 30s or '{calls: 5}'."),
    "connection": ("KIND", "Break the connection: reset, close, empty, garbage, malformed_chunk, hang or dies_idle."),
    "body": ("KIND", "Break the answer's body: malformed_json, '{truncate: 0.5}' or '{corrupt: 8B}'."),
    "latency": ("TIME", "Delay the answer: 200ms, '[100ms, 300ms]' or '{median: 80ms, p99: 2s, max: 5s}'."),
    "drip": ("YAML", "Send the body in pieces: '{chunks: 5, over: 2s}'."),
    "bandwidth": ("RATE", "Send the body slowly: 20KB/s."),
    "delivery": ("twice", "Perform the call twice, as behind a proxy that repeats it."),
    "refuse_connections": ("TIME", "Close the whole server's ports after the answer: 2s, at most 1m."),
    "fail_handshakes": ("TIME", "Let TLS handshakes fail after the answer: 2s or '{connections: 3}'."),
    "headers": ("YAML", "Change the answer's headers: '{set: {X-A: b}, remove: [X-B]}'."),
    "stale": ("TIME", "Let reads show the state of five seconds ago: 5s."),
    "provisioning": ("TIME", "Say how long the new resource takes to start: 90s, never or '{polls: 3}'."),
}
"""The keys of a fault: what each takes, and what it does."""

RULE = {
    "times": ("N", "Apply it to the first N requests, or '{skip: 2, take: 1}', '{every: 5}', '{only: [1, 4]}'."),
    "at": ("WHEN", "Apply it `before` the call has an effect (the default), or `after` its change was committed."),
    "probability": ("P", "Apply it with this probability, from 0 to 1."),
    "ttl": ("TIME", "Remove the rule after this time on the sandbox's clock: 30s."),
    "match": ("YAML", "Match only some requests: '{method: GET, body: {region: us-east-1}}'."),
    "when": ("YAML", "Apply it only in a part of the scenario: '{phase: outage}' or '{after: 30s}'."),
    "per": ("WHAT", "Count --times and --sequence by `sandbox` (the default) or by `resource`."),
    "sequence": ("YAML", "Apply one fault to each request in turn: '[{latency: 200ms}, pass, {status: 503}]'."),
    "then": ("WHAT", "Continue after --sequence with `pass`, `repeat` or `last`."),
    "id": ("NAME", "Name the rule; a rule with the same name is replaced. By default inject-1 and so on."),
}
"""The keys of a rule other than its fault."""


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each key of a rule and of a fault."""
    for name, (metavar, words) in reversed((FAULT | RULE).items()):
        command = click.option(
            _option(name), name, metavar=metavar, help=words, shell_complete=completions.RULE.get(name)
        )(command)
    return command


@click.command()
@click.argument("operations", nargs=-1, metavar="[OPERATION]...", shell_complete=completions.operations)
@_rule_options
@target_options
def inject(operations: tuple[str, ...], url: str, key: str, **written: str | None) -> None:
    """Add a fault to a running server's sandbox, and print the rule's name.

    OPERATION is an operation such as instances.create, or a pattern such as `instances.*`. Without it, the rule matches
    every call. Values are written as in a scenario file. `cnx-mock rules` lists and removes rules.

    \b
    Examples:
      cnx-mock inject instances.create --error INTERNAL_ERROR --times 2
      cnx-mock inject instances.create --connection reset --at after --times 1
      cnx-mock inject 'instances.*' --latency '[1s, 3s]' --probability 0.3 --ttl 5m
    """
    document = _document(operations, {name: value for name, value in written.items() if value is not None})
    state = Target(url, key).call("POST", "/rules", _needed, document)
    for warning in state["warnings"]:
        click.echo(shown(f"cnx-mock: {state['id']}: {warning}"), err=True)
    click.echo(state["id"])


def _needed(state: dict[str, Any]) -> dict[str, Any]:
    return {"id": state["id"], "warnings": list(state["warnings"])}


def _document(operations: tuple[str, ...], written: dict[str, str]) -> dict[str, Any]:
    """Return the rule that the options describe. Raises SourceError for a value that is not YAML."""
    from cnx_mock.scenario.header import flat_value  # lazy: --help needs no language of scenarios
    from cnx_mock.scenario.rule import rule_document  # lazy: as above

    given: dict[str, Any] = {}
    for name, text in written.items():
        given[name] = text if name in ("id", "message") else flat_value(name, text, _option(name))
    if operations:
        given["operation"] = operations[0] if len(operations) == 1 else list(operations)
    return rule_document(given)
