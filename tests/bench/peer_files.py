"""The files from which each peer serves the mock's own answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Answers = dict[str, Any]


def _calls(answers: Answers, instance: str) -> Iterator[tuple[str, str, int, dict[str, str], str]]:
    """Method, path, status, headers and body of each call that a peer answers."""
    paths = {"list": "/v1/instances", "get": f"/v1/instances/{instance}", "create": "/v1/instances"}
    for kind, (status, headers, body) in answers.items():
        kept = {name: value for name, value in headers if name.lower() != "content-length"}
        yield "POST" if kind == "create" else "GET", paths[kind], status, kept, body


def _write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def wiremock(folder: Path, answers: Answers, instance: str) -> Path:
    """Stub mappings."""
    mappings = [
        {
            "request": {"method": method, "urlPath": path},
            "response": {"status": status, "headers": headers, "body": body},
        }
        for method, path, status, headers, body in _calls(answers, instance)
    ]
    return _write(folder / "mappings" / "stubs.json", {"mappings": mappings})


def mountebank(folder: Path, port: int, answers: Answers, instance: str) -> Path:
    """An imposter. Without the header it closes the connection after each answer."""
    stubs = [
        {
            "predicates": [{"equals": {"method": method, "path": path}}],
            "responses": [
                {"is": {"statusCode": status, "headers": {**headers, "Connection": "keep-alive"}, "body": body}}
            ],
        }
        for method, path, status, headers, body in _calls(answers, instance)
    ]
    imposter = {"port": port, "protocol": "http", "host": "127.0.0.1", "stubs": stubs}
    return _write(folder / "imposters.json", {"imposters": [imposter]})


def prism(folder: Path, answers: Answers, instance: str) -> Path:
    """An OpenAPI document with the answers as examples."""
    paths: dict[str, Any] = {}
    for method, path, status, _, body in _calls(answers, instance):
        content = {"application/json": {"example": json.loads(body)}}
        operation: dict[str, Any] = {"responses": {str(status): {"description": "an answer", "content": content}}}
        if method == "POST":
            operation["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
        paths.setdefault(path, {})[method.lower()] = operation
    document = {"openapi": "3.0.3", "info": {"title": "bench", "version": "1"}, "paths": paths}
    return _write(folder / "openapi.json", document)


def mockoon(folder: Path, port: int, answers: Answers, instance: str) -> Path:
    """An environment; the command's `--repair` adds what is left out."""
    routes = []
    for number, (method, path, status, headers, body) in enumerate(_calls(answers, instance)):
        response = {
            "uuid": f"00000000-0000-4000-8000-0000000001{number:02}",
            "body": body,
            "statusCode": status,
            "headers": [{"key": name, "value": value} for name, value in headers.items()],
            "bodyType": "INLINE",
            "disableTemplating": True,
            "default": True,
        }
        route = {"uuid": f"00000000-0000-4000-8000-0000000000{number:02}", "type": "http", "responses": [response]}
        routes.append({**route, "method": method.lower(), "endpoint": path.removeprefix("/")})
    children = [{"type": "route", "uuid": route["uuid"]} for route in routes]
    environment = {"uuid": "00000000-0000-4000-8000-000000000200", "name": "bench", "port": port}
    return _write(folder / "environment.json", {**environment, "routes": routes, "rootChildren": children})


def json_server(folder: Path, answers: Answers) -> tuple[Path, Path]:
    """A file of data, and the routes to it."""
    data = _write(folder / "db.json", {"instances": json.loads(answers["list"][2])["data"]})
    return data, _write(folder / "routes.json", {"/v1/*": "/$1"})
