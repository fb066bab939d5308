"""A request of a journal again: as a curl line, and as a pytest test that needs nothing but cnx-mock and requests."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pprint import pformat
from shlex import quote
from typing import Any

import orjson

from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.journal_texts import request_headers
from cnx_mock.http.replay_world import world_for
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.rule import Rule
from cnx_mock.text.units import format_duration
from cnx_mock.world.clock import SECOND
from cnx_mock.world.sandbox import SandboxState

_NOT_SENT_AGAIN = {
    *("host", "authorization", "content-length", "connection", "accept", "accept-encoding", "user-agent", "expect"),
    *("transfer-encoding", "keep-alive", "te", "upgrade", "proxy-connection", "proxy-authorization"),
}
"""Headers that each client sends in its own way."""

_OF_THE_WORLD = {
    *("INSUFFICIENT_CREDITS", "QUOTA_EXCEEDED", "RATE_LIMITED", "REGION_UNAVAILABLE", "FORBIDDEN", "INVALID_STATE"),
    "INTERNAL_ERROR",
}
"""Errors that a fresh sandbox does not give by itself: a test asks for them."""

_DIES_IDLE = "connection=dies_idle"

_LONGEST_ARGUMENT = 64 * 1024
"""Bytes of a body that fit well into a command line."""


def curl_of(record: JournalRecord, base_url: str) -> str:
    """Return a shell command that sends the request again, with the key in `$CLOUDNEXUS_API_KEY`."""
    request = record.request
    words = ["curl"]
    if request.method == "HEAD":
        words.append("--head")
    elif request.method != ("POST" if request.body else "GET"):
        words += ["-X", quote(request.method)]
    target = _target(record)
    if re.search(r"[\[\]{}]", target):
        words.append("--globoff")
    if re.search(r"/\.{1,2}(/|$)", request.path):
        words.append("--path-as-is")
    lines = [" ".join([*words, quote(base_url + target)])]
    if _authorization(record):
        lines.append('-H "Authorization: Bearer $CLOUDNEXUS_API_KEY"')
    lines += [f"-H {quote(f'{name}: {value}' if value else f'{name};')}" for name, value in _headers(record)]
    if request.body:
        lines.append(f"--data-binary {_shell_bytes(request.body)}")
    return " \\\n  ".join(lines)


def _shell_bytes(body: bytes) -> str:
    """Return a body as one word of a shell; a body that does not fit into one is read from a file."""
    if len(body) > _LONGEST_ARGUMENT or b"\0" in body:
        return "@body.bin"
    with suppress(UnicodeDecodeError):
        text = body.decode()
        if text.replace("\n", "").replace("\t", "").isprintable():
            return quote(text)
    escaped = "".join(chr(each) if 32 <= each < 127 and chr(each) not in "'\\" else f"\\x{each:02x}" for each in body)
    return f"$'{escaped}'"


def test_of(record: JournalRecord, sandbox: SandboxState | None) -> str:
    """Return a test that sends the request in a fresh sandbox, under the same faults, and expects the same outcome."""
    request = record.request
    breaks = _breaks(record)
    imports = ["import pytest", "import requests"] if breaks else ["import requests"]
    head = f"def test_{_name(record)}(cnx):"
    about = f'    """#{record.seq} again: {_words(f"{request.method} {request.path}")}."""'
    lines = [*imports, "", "", head, about]
    if sandbox is not None:
        lines += [f"    {line}" for line in _preparations(record, sandbox)]
    lines += [f"    {line}" for line in _injections(record)]
    if breaks:
        lines.append("    with pytest.raises(requests.RequestException):")
        lines += [f"        {line}" for line in _call(record, 8)]
    else:
        first, *rest = _call(record, 4)
        lines += [f"    answer = {first}", *(f"    {line}" for line in rest)]
        lines.append(f"    assert answer.status_code == {record.status}")
    return "\n".join([*lines, ""])


def _preparations(record: JournalRecord, sandbox: SandboxState) -> Iterator[str]:
    """Yield a line for the readings that are not the default ones, and one for the resources that the request names."""
    if sandbox.readings:
        yield f'cnx.call("PATCH", "/readings", {_literal(dict(sandbox.readings), 4)})'
    world = world_for(record, sandbox)
    if world:
        yield f"cnx.load({_literal({'accounts': [world]}, 4)})"


def _name(record: JournalRecord) -> str:
    name = record.operation.name if record.operation else f"{record.request.method} {record.request.path}"
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60]
    return f"{words}_{'is_cut' if _breaks(record) else f'gets_{record.status}'}"


def _words(text: str) -> str:
    """Return a text for a docstring: one line, and nothing that ends it."""
    return re.sub(r"[^!#-\[\]-~ ]", "?", text)[:100]


def _breaks(record: JournalRecord) -> bool:
    """Return whether the client gets no complete answer."""
    broken = ("connection=", "body={truncate", "body=truncate")
    labels = [label for _, label in record.applied if label != _DIES_IDLE]
    return record.status is None or any(label.startswith(broken) for label in labels)


def _call(record: JournalRecord, indent: int) -> Iterator[str]:
    request = record.request
    headers = [(name, _quoted(value)) for name, value in _headers(record)]
    json_body = _json_of(record)
    if json_body is not None:
        headers = [(name, value) for name, value in headers if name.lower() != "content-type"]
    if _authorization(record):
        headers.insert(0, ("Authorization", 'f"Bearer {cnx.api_key}"'))
    elif _has_bad_key(record):
        headers.insert(0, ("Authorization", '"Bearer not-a-key"'))
    yield "requests.request("
    yield f"    {_quoted(request.method)},"
    yield f"    cnx.url + {_quoted(_target(record))},"
    if headers:
        yield f"    headers={{{', '.join(f'{_quoted(name)}: {value}' for name, value in headers)}}},"
    if json_body is not None:
        yield f"    json={_literal(json_body, indent + 4)},"
    elif request.body:
        yield f"    data={request.body!r},"
    yield f"    timeout={_timeout(record)},"
    yield ")"


def _timeout(record: JournalRecord) -> int:
    if any(label == "connection=hang" for _, label in record.applied):
        return 1
    return max(10, 2 * (record.duration or 0) // SECOND)


def _injections(record: JournalRecord) -> Iterator[str]:
    """Yield a line for each rule that had an effect on the request, or for an error that only another world gives."""
    applied = {rule_id for rule_id, _ in record.applied}
    operation = record.operation
    where = _quoted(operation.name) if operation else f'match={{"path": {_quoted(record.request.path)}}}'
    for active, rule in record.asked:
        if rule.id in applied and active.origin in ("injected", "scenario"):
            yield _injection(where, rule, applied_fault(record, active, rule))
    code = _error_code(record)
    if applied and not record.asked:  # an earlier call has met the fault, and this one what it began
        seen = 'connection="reset"' if record.status is None else f"error={_quoted(code)}"
        yield f"cnx.inject({where}, {seen}, times=1)"
    if not applied and code in _OF_THE_WORLD:
        yield f"cnx.inject({where}, error={_quoted(code)}, times=1)"


def _injection(where: str, rule: Rule, fault: dict[str, Any]) -> str:
    words = [where, *(f"{name}={_literal(value, 4)}" for name, value in fault.items())]
    words += ['at="after"'] if rule.at == "after" else []
    return f"cnx.inject({', '.join([*words, 'times=1'])})"


def applied_fault(record: JournalRecord, active: ActiveRule, rule: Rule) -> dict[str, Any]:
    """Return the fault that a rule applied to a request, as a scenario file has it; of a latency that was drawn, the
    time."""
    place = decision.place if (decision := record.decision(active)) else 1
    fault = dict(rule.document["fault"] if "fault" in rule.document else rule.document["sequence"][place - 1])
    if not isinstance(fault.get("latency", ""), str) and record.exchange.delayed:
        fault["latency"] = format_duration(record.exchange.delayed)
    return fault


def _error_code(record: JournalRecord) -> str:
    answer = record.exchange.answer
    if answer is None or answer.status < 400:
        return ""
    try:
        return str(orjson.loads(answer.body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _target(record: JournalRecord) -> str:
    request = record.request
    return request.path + (f"?{request.query}" if request.query else "")


def _authorization(record: JournalRecord) -> bool:
    """Return whether the request came with a key that opens a sandbox."""
    return record.exchange.sandbox is not None and any(name == b"authorization" for name, _ in record.request.headers)


def _has_bad_key(record: JournalRecord) -> bool:
    return any(name == "authorization" and value != "missing" for name, value in request_headers(record.exchange))


def _headers(record: JournalRecord) -> list[tuple[str, str]]:
    shown = request_headers(record.exchange)
    return [(_spelled(name), value) for name, value in shown if name not in _NOT_SENT_AGAIN]


def _spelled(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _json_of(record: JournalRecord) -> Any:
    """Return the body as Python data if `json=` sends the same; else None."""
    types = [value for name, value in record.request.headers if name == b"content-type"]
    if not record.request.body or types != [b"application/json"]:
        return None
    try:
        found = orjson.loads(record.request.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _quoted(text: str) -> str:
    """Return a text as a Python literal in double quotes, in ASCII."""
    escaped = ascii(text)[1:-1].replace("\\'", "'").replace('"', '\\"')
    return f'"{escaped}"' if not ascii(text).startswith('"') else ascii(text)


def _literal(value: Any, indent: int) -> str:
    """Return data as Python writes it, in lines of a readable length."""
    if isinstance(value, str):
        return _quoted(value)
    return pformat(value, width=100, sort_dicts=False).replace("\n", "\n" + " " * indent)
