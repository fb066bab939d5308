"""The examples of the document are what the server says: importers send them, and people read them."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from cnx_mock import MockServer
from cnx_mock.http import reference
from cnx_mock.world.keys import EXAMPLE_KEY
from tests.openapi_parts import resolved

START = "2026-01-01T00:00:00Z"
"""When the examples begin. A minute passes between two of them."""


@pytest.fixture
def fresh(client) -> Iterator[Any]:
    """The sandbox of the reference's own key on a server of its own, at the start of the examples."""
    with MockServer(scenario={"world": {"clock": {"start": START, "frozen": True}}}) as server:
        yield server.sandbox(key=EXAMPLE_KEY)


def operations(document):
    """Return every operation with its method and path, as the story of the examples has them: creates first."""
    found = [(method, path, item) for path, methods in document["paths"].items() for method, item in methods.items()]
    return sorted(found, key=lambda each: ["post", "get", "put", "delete"].index(each[0]))


def called(api, document, method, path, item, optional=False):
    """Call an operation with its examples, those of the optional parameters too if asked for."""
    parameters = [resolved(document, each) for each in item["parameters"]]
    for each in parameters:
        if each["in"] == "path":
            path = path.replace("{" + each["name"] + "}", each["example"])
    query = [
        (each["name"], ",".join(each["example"]) if isinstance(each["example"], list) else each["example"])
        for each in parameters
        if each["in"] == "query" and (optional or each["required"])
    ]
    body = item["requestBody"]["content"]["application/json"]["example"] if "requestBody" in item else None
    return api.call(method.upper(), f"{path}?{urlencode(query)}" if query else path, body)


def test_every_request_example_gives_the_example_of_its_success(fresh, client):
    api = client(fresh.url, fresh.api_key)
    document = api.get("/openapi.json").json
    for method, path, item in operations(document):
        reply = called(api, document, method, path, item)
        success = next(answer for status, answer in item["responses"].items() if status < "400")
        assert str(reply.status) in item["responses"], (method, path, reply.body)
        assert reply.json == success["content"]["application/json"]["example"], (method, path)
        fresh.clock.advance("60s")


def test_the_example_of_a_create_is_provisioning(fresh, client):
    document = client(fresh.url).get("/openapi.json").json
    created = document["paths"]["/v1/instances"]["post"]["responses"]["201"]["content"]["application/json"]["example"]
    assert (created["status"], created["ipv4"], created["provisioned_at"]) == ("provisioning", None, None)


def test_every_parameter_example_is_accepted(fresh, client):
    """Importers send the optional parameters too."""
    api = client(fresh.url, fresh.api_key)
    document = api.get("/openapi.json").json
    for method, path, item in operations(document):
        if method in ("post", "get"):
            assert called(api, document, method, path, item, optional=True).status < 300, (method, path)
            fresh.clock.advance("60s")


@pytest.mark.parametrize("envelope", ["flat", "bare"])
def test_examples_follow_the_readings(client, envelope):
    with MockServer() as server:
        sandbox = server.sandbox()
        sandbox.use({"world": {"readings": {"list-envelope": envelope, "delete-answer": "204"}}})
        document = client(server.url, sandbox.api_key).get("/openapi.json").json
    listed = document["paths"]["/v1/instances"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert (set(listed) == {"data", "page", "pages", "results"}) if envelope == "flat" else isinstance(listed, list)
    assert "content" not in document["paths"]["/v1/instances/{id}"]["delete"]["responses"]["204"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("localhost:4269", "http://localhost:4269"),
        ("sandbox.internal", "http://sandbox.internal"),
        ("[::1]:80", "http://[::1]:80"),
    ],
)
def test_the_served_document_names_the_address_that_the_client_used(server, client, host, url):
    document = client(server.url).get("/openapi.json", headers={"Host": host}).json
    assert [each["url"] for each in document["servers"]] == [url, "/"]


def test_without_an_address_the_document_names_the_server_that_sent_it():
    assert [each["url"] for each in reference.servers("http", None)] == ["/"]


def test_examples_are_the_same_each_time(server, client):
    first, second = (client(server.url).get("/openapi.json").json for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
