"""HAR 1.2, the format in which browsers and proxies keep traffic: a journal written so, and read back.

What HAR has no word for stands in `_cnx` of every entry (names of one's own begin with an underscore, section 2).
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from cnx_mock import __version__
from cnx_mock.api.parsing import query_values
from cnx_mock.http.auth import described
from cnx_mock.text.units import format_instant_ms, parse_instant

_OURS = ("seq", "request_id", "sandbox", "at", "duration_ms", "delayed_ms", "operation", "committed", "faults")
"""What HAR has no word for. `duration_ms` is among it because HAR's `time` cannot say that a call is under way."""


def to_har(entries: Iterable[Mapping[str, Any]], url: str) -> dict[str, Any]:
    """A journal's entries as a HAR document; `url` is the server's base."""
    creator = {"name": "cnx-mock", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(each, url) for each in entries]}}


def _entry(entry: Mapping[str, Any], url: str) -> dict[str, Any]:
    query = f"?{entry['query']}" if entry["query"] else ""
    time = entry["duration_ms"] or 0
    return {
        "startedDateTime": entry["wall"],
        "time": time,
        "request": {
            "method": entry["method"],
            "url": f"{url}{entry['path']}{query}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(entry["request_headers"]),
            "queryString": [
                {"name": name, "value": value}
                for name, values in query_values(entry["query"]).items()
                for value in values
            ],
            "headersSize": -1,
            "bodySize": len((entry["request_body"] or "").encode()),
            **_posted(entry),
        },
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": time, "receive": 0},
        **({} if entry.get("connection") is None else {"connection": str(entry["connection"])}),
        "_cnx": {name: entry.get(name) for name in _OURS},
    }


def _posted(entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry["request_body"] is None:
        return {}
    return {"postData": {"mimeType": _type(entry["request_headers"]), "text": entry["request_body"]}}


def _response(entry: Mapping[str, Any]) -> dict[str, Any]:
    status, body = entry["status"] or 0, entry["response_body"]
    content = {"size": len((body or "").encode()), "mimeType": _type(entry["response_headers"])}
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in set(HTTPStatus) else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(entry["response_headers"]),
        "content": content if body is None else {**content, "text": body},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": content["size"] if status else -1,
    }


def _named(headers: Iterable[Iterable[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _type(headers: Iterable[Iterable[str]]) -> str:
    return next((value for name, value in headers if name == "content-type"), "")


def from_har(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of a HAR document: those that `to_har` wrote, or any tool's. Raises KeyError, TypeError or ValueError
    for what is none."""
    return [_read(entry, seq) for seq, entry in enumerate(document["log"]["entries"], 1)]


def _read(entry: Mapping[str, Any], seq: int) -> dict[str, Any]:
    request, response = entry["request"], entry["response"]
    address = urlsplit(request["url"])
    status = response["status"] or None
    duration = max(0.0, float(entry["time"]))
    said: Mapping[str, Any] = entry.get("_cnx") or {}
    body = response.get("content", {}).get("text")
    headers = _pairs(response["headers"])
    if not said and body is None:  # many tools leave bodies out: that the client had none does not follow
        headers = [header for header in headers if header[0] != "content-length"]
    changed = request["method"] not in ("GET", "HEAD", "OPTIONS") and status is not None and status < 300
    return {
        "seq": seq,
        "request_id": next((value for name, value in headers if name == "x-request-id"), ""),
        "duration_ms": duration,
        "committed": changed,
        **said,
        "wall": format_instant_ms(parse_instant(entry["startedDateTime"])),
        "connection": entry.get("connection"),
        "method": request["method"],
        "path": address.path or "/",
        "query": address.query,
        "status": status,
        "request_headers": [[name, _safe(name, value)] for name, value in _pairs(request["headers"])],
        "request_body": (request.get("postData") or {}).get("text"),
        "response_headers": headers,
        "response_body": body,
    }


def _pairs(headers: Iterable[Mapping[str, str]]) -> list[list[str]]:
    return [[each["name"].lower(), each["value"]] for each in headers]


def _safe(name: str, value: str) -> str:
    """A header without a key that could be used: other tools write them down in full."""
    ours = value in ("live", "missing", "revoked", "malformed") or "cnx_test_…" in value
    return described(value.encode("latin-1", "replace")) if name == "authorization" and not ours else value
