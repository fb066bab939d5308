"""Journals that no client wrote: their entries, built call by call, as `GET /_mock/requests` would answer them."""

import json
from collections.abc import Sequence
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cnx_mock.audit.audit import Finding, findings
from cnx_mock.audit.call import calls_of
from cnx_mock.text.units import format_instant_ms, parse_duration, parse_instant

NOON = parse_instant("2026-01-15T12:00:00.000Z")
CODES = {
    400: "VALIDATION_ERROR",
    403: "QUOTA_EXCEEDED",
    404: "NOT_FOUND",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
}
INSTANCE = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}

Entry = dict[str, Any]


def call(
    method: str,
    path: str,
    *,
    status: int | None = 200,
    wait: str = "0s",
    at: str | None = None,
    lasts: str = "1ms",
    sends: object = None,
    shows: object = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
    retry_after: str | None = None,
    committed: bool | None = None,
    connection: int | None = None,
) -> Entry:
    """One entry. A wait is from the end of the call before it; `at` is from the journal's start instead. What it sends
    and shows is JSON, or text as it is; an error has the usual body, and a status of None has neither body nor header.
    """
    address = urlsplit(path)
    succeeded = status is not None and status < 300
    if not succeeded and status is not None and shows is None:
        shows = {"error": {"code": code or CODES.get(status, "ERROR"), "message": "No."}}
    body = None if status in (None, 204) else _text({} if shows is None else shows)
    given = {"Retry-After": retry_after} if retry_after else {}
    length = {} if status is None else {"Content-Length": str(len(body or ""))}
    return {
        "wait": parse_duration(wait),
        "at": None if at is None else parse_duration(at),
        "duration_ms": parse_duration(lasts) / 1000,
        "connection": connection,
        "method": method,
        "path": address.path,
        "query": address.query,
        "status": status,
        "committed": method != "GET" and succeeded if committed is None else committed,
        "request_headers": [["authorization", "Bearer cnx_test_…1234"]],
        "request_body": _text(sends) if sends is not None else None,
        "response_headers": [[name.lower(), value] for name, value in {**length, **given, **(headers or {})}.items()],
        "response_body": body,
    }


def _text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def journal(*calls: Entry) -> list[Entry]:
    """The entries in their order: numbered, at their times, each over a connection of its own unless it has one."""
    entries, ended = [], NOON
    for seq, given in zip(count(1), calls, strict=False):
        entry = dict(given)
        wait, at = entry.pop("wait"), entry.pop("at")
        began = ended + wait if at is None else NOON + at
        ended = began + entry["duration_ms"] * 1000
        wall = format_instant_ms(int(began))
        own = {"seq": seq, "request_id": f"req_{seq:016x}", "wall": wall}
        entries.append({**entry, **own, "connection": entry["connection"] or 40_000 + seq})
    return entries


def judge(
    *calls: Entry, ignore: Sequence[str] = (), also: Sequence[str] = (), failed: bool = False, **limits: str
) -> list[Finding]:
    """What the audit finds in these calls; `limits` are thresholds with underscores in their names."""
    named = {name.replace("_", "-"): value for name, value in limits.items()}
    return findings(calls_of(journal(*calls)), named, ignore, also, failed=failed)


def codes(*calls: Entry, **more: Any) -> list[str]:
    """The codes of what the audit finds."""
    return [each.code for each in judge(*calls, **more)]


# ---- calls that many tests make


def get(path: str = "/v1/plans", **more: Any) -> Entry:
    return call("GET", path, **more)


def failing(times: int, path: str = "/v1/plans", *, status: int | None = 500, **more: Any) -> list[Entry]:
    """The same GET so many times; each fails."""
    return [get(path, status=status, **more) for _ in range(times)]


def waiting(calls: Sequence[Entry], waits: Sequence[str]) -> list[Entry]:
    """The calls with these waits between them."""
    return [{**each, "wait": parse_duration(wait)} for each, wait in zip(calls, ("0s", *waits), strict=True)]


def instance(number: int = 1, **fields: Any) -> dict[str, Any]:
    """An instance as answers show it."""
    return {"id": f"inst_{number:016x}", **INSTANCE, "status": "provisioning", **fields}


def create(status: int | None = 201, *, number: int = 1, fields: dict[str, Any] | None = None, **more: Any) -> Entry:
    """A POST of an instance; a success shows it."""
    sent = {**INSTANCE, **(fields or {})}
    shown = {"shows": instance(number, **(fields or {}))} if status == 201 else {}
    return call("POST", "/v1/instances", status=status, sends=sent, **{**shown, **more})


def read(number: int = 1, state: str = "provisioning", **more: Any) -> Entry:
    """A GET of one instance."""
    return get(f"/v1/instances/inst_{number:016x}", shows=instance(number, status=state), **more)


def delete(number: int = 1, status: int = 204, **more: Any) -> Entry:
    return call("DELETE", f"/v1/instances/inst_{number:016x}", status=status, **more)


def page(path: str, items: Sequence[dict[str, Any]], envelope: str = "nested", **more: Any) -> Entry:
    """A GET of a list, which shows the page of these items that it asks for, as the reading `list-envelope` has it."""
    query = {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
    number, limit = int(query.get("page", 1)), int(query.get("limit", 20))
    data, total = list(items[(number - 1) * limit : number * limit]), max(1, -(-len(items) // limit))
    link = f'<{path}>; rel="first"' + (f', <{path}>; rel="next"' if number < total else "")
    counts = {"page": number, "limit": limit, "total": len(items), "total_pages": total}
    shown: object = {"data": data, "pagination": counts}
    if envelope == "flat":
        shown = {"data": data, "page": number, "pages": total, "results": len(items)}
    return get(path, shows=data if envelope == "bare" else shown, headers={"Link": link}, **more)
