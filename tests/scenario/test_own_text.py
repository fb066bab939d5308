"""What is written is what is meant: the values of headers, queries and paths are their own text; null: "not there"."""

import pytest

from cnx_mock import Sandbox, ScenarioError, SourceError
from tests.cases import cases
from tests.conftest import INSTANCE, Client
from tests.scenario.conftest import Write

WRITTEN = [
    *(
        "1.10",
        "1.0",
        "1e3",
        "1E3",
        "+1",
        ".5",
        "1.",
        "0",
        "-0",
        "0o17",
        "017",
        "0x1F",
        "1_000",
        ".inf",
        "-.Inf",
        ".nan",
    ),
    *("True", "TRUE", "true", "False", "yes", "no", "on", "off", "y", "n"),
    *("12:30", "1:2:3", "2026-01-01", "2026-01-01T00:00:00Z", "12345678901234567890123", "1.10.2", "v1"),
]
"""Unquoted values of a YAML file; many of them are a number, a boolean or a date to some version of YAML."""


@cases("text", WRITTEN)
def test_a_value_of_a_header_or_a_query_is_its_own_text(sandbox: Sandbox, api: Client, write: Write, text: str) -> None:
    sandbox.use(
        write(
            f"""
            rules:
              - match: {{header: {{X-Api-Version: {text}}}, query: {{v: [{text}, other]}}}}
                fault: {{headers: {{set: {{X-Said: {text}, X-Same: "{text}"}}}}}}
            """
        )
    )
    target = f"/v1/plans?v={text.replace('+', '%2B')}"
    headers = api.get(target, headers={"X-Api-Version": text}).headers
    assert (headers["x-said"], headers["x-same"]) == (text, text)
    assert "x-said" not in api.get(target, headers={"X-Api-Version": f"{text}0"}).headers


def test_it_is_also_that_in_a_sequence_a_path_and_an_id(sandbox: Sandbox, api: Client, write: Write) -> None:
    sandbox.use(
        write(
            """
            rules:
              - match: {resource: [1.10, 007]}
                sequence: [{headers: {set: {X-Said: 1.10}}}, pass]
                then: repeat
            """
        )
    )
    assert api.get("/v1/instances/1.1").headers.get("x-said") is None
    assert api.get("/v1/instances/1.10").headers["x-said"] == "1.10"


def test_an_alias_is_the_text_of_its_anchor(sandbox: Sandbox, api: Client, write: Write) -> None:
    text = "rules: [{match: {header: {X-V: &v 1.10}}, fault: {headers: {set: {X-W: *v}}}}]"
    sandbox.use(write(text))
    assert api.get("/v1/plans", headers={"X-V": "1.10"}).headers["x-w"] == "1.10"


def test_it_is_also_that_in_the_fault_header(api: Client) -> None:
    fault = "headers={set: {X-Said: 1.10}}; match={header: {X-V: 2.0}}"
    assert api.get("/v1/plans", headers={"X-CNX-Mock-Fault": fault, "X-V": "2.0"}).headers["x-said"] == "1.10"
    assert "x-said" not in api.get("/v1/plans", headers={"X-CNX-Mock-Fault": fault, "X-V": "2"}).headers


def test_plain_data_has_no_text_for_a_fraction(sandbox: Sandbox, api: Client) -> None:
    for match in ({"header": {"X-V": 1.1}}, {"query": {"v": ["a", 2.0]}}, {"resource": 1e3}, {"path": 1.5}):
        with pytest.raises(ScenarioError, match=r"is a string, and the number .* in several ways: write it in quotes"):
            sandbox.inject(match=match, status=500)
    with pytest.raises(ScenarioError, match=r"write it in quotes"):
        sandbox.inject(headers={"set": {"X-V": 1.1}})
    large = {"match": {"header": {"X-V": 10**30}}, "fault": {"headers": {"set": {"X-V": -(10**30)}}}}
    refused = api.call("PUT", "/_mock/rules/large", large)
    assert (refused.status, len(refused.details)) == (400, 2)
    rule = sandbox.inject(match={"header": {"X-V": 1, "X-On": True}}, latency="0s")
    api.get("/v1/plans", headers={"X-V": "1", "X-On": "true"})
    assert rule.fired == 1


def test_a_body_keeps_the_kinds_of_json(sandbox: Sandbox, api: Client, write: Write) -> None:
    sandbox.use(write('rules: [{match: {body: {a: 1.10, b: 1e3, c: True, d: 5, e: "5"}}, fault: {status: 503}}]'))
    same = {"a": 1.1, "b": 1000, "c": True, "d": 5.0, "e": "5"}
    assert api.post("/v1/instances", same).status == 503
    for name, other in (("a", "1.10"), ("b", "1e3"), ("c", 1), ("d", True), ("e", 5)):
        assert api.post("/v1/instances", {**same, name: other}).status == 400


@cases(
    ("match", "request_", "reason"),
    [
        ({"header": {"X-Trace": None}}, {}, "fires"),
        ({"header": {"x-trace": None}}, {"headers": {"X-Trace": ""}}, "header x-trace is , not missing"),
        ({"header": {"X-Trace": [None, "a"]}}, {"headers": {"X-Trace": "a"}}, "fires"),
        ({"header": {"X-Trace": [None, "a"]}}, {}, "fires"),
        ({"header": {"X-Trace": [None, "a"]}}, {"headers": {"X-Trace": "b"}}, "header X-Trace is b, not missing or a"),
        ({"header": {"X-Trace": "null"}}, {}, "header X-Trace is missing, not null"),
        ({"header": {"X-Trace": "*"}}, {}, "header X-Trace is missing, not *"),
        ({"query": {"page": None}}, {}, "fires"),
        ({"query": {"page": None}}, {"query": "?page="}, "query page is , not missing"),
        ({"query": {"page": None}}, {"query": "?page=2"}, "query page is 2, not missing"),
        ({"resource": None}, {}, "fires"),
        ({"body": {"size": None, "/a/b": None}}, {}, "fires"),
        ({"body": {"plan": None}}, {}, 'body plan is "pro", not null'),
        ({"body": {"/tags/0": None}}, {}, 'body /tags/0 is "web", not null'),
    ],
)
def test_null_means_that_it_is_not_there(
    sandbox: Sandbox, api: Client, match: dict, request_: dict, reason: str
) -> None:
    sandbox.inject(match=match, latency="0s", id="it")
    api.call("POST", f"/v1/instances{request_.get('query', '')}", INSTANCE, headers=request_.get("headers", {}))
    (decided,) = sandbox.requests[-1].decisions
    assert ("fires" if decided.fired else decided.reason) == reason


def test_a_resource_of_null_is_a_path_without_an_id(sandbox: Sandbox, api: Client) -> None:
    sandbox.inject(match={"resource": None}, status=503)
    assert api.get("/v1/plans").status == 503
    assert api.get("/v1/plans/pro").status == 200
    assert sandbox.requests[-1].decisions[0].reason == "resource is pro, not nothing"


def test_what_is_always_there_cannot_be_null(write: Write, sandbox: Sandbox) -> None:
    with pytest.raises(SourceError) as wrong:
        sandbox.use(
            write(
                """
                rules:
                  - match: {path: null, method: ~, operation: null, query: null, header: {X-A: {absent: true}}}
                    fault: {headers: {set: {X-B: null}}}
                """
            )
        )
    assert [f"{each.column}: {each.message}" for each in wrong.value.problems] == [
        "19: 'path' must be a string or a list of strings",
        "33: 'method' must be a string or a list of strings",
        "47: 'operation' must be a string or a list of strings",
        "60: 'query' must be an object",
        "80: 'X-A' must be a single value, or a list of them; null means that it is absent",
        "34: 'X-B' is null: write \"\" for an empty value, or put the name into remove",
    ]


def test_a_request_is_found_by_what_it_does_not_have(sandbox: Sandbox, api: Client) -> None:
    api.get("/v1/plans", headers={"X-Trace": "a"})
    api.get("/v1/plans")
    assert len(sandbox.requests.matching(header={"X-Trace": None})) == 1
    assert len(sandbox.requests.matching(query={"page": None})) == 2
