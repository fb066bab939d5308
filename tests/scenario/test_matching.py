"""Which requests a rule matches, and which field differs if it does not: both as the journal shows them."""

import pytest

from cnx_mock import Sandbox
from tests.cases import cases
from tests.conftest import INSTANCE, Client

LIST = ("GET", "/v1/instances", None)
CREATE = ("POST", "/v1/instances", INSTANCE)
BODY = {"n": 5, "text": "5", "yes": True, "none": None, "half": 1.5, "a/b": {"c~d": ["x", "y"]}, "": {"deep": 1}}


def decision(sandbox: Sandbox, api: Client, match: dict, request: tuple) -> str:
    """What the journal says of a rule with this match: `fires`, or why it does not."""
    sandbox.inject(match=match, latency="0s", id="it")
    method, path, body = request
    api.call(method, path, body)
    (decided,) = sandbox.requests[-1].decisions
    assert decided.rule == "it"
    return "fires" if decided.fired else decided.reason


@cases(
    ("operation", "request_", "expected"),
    [
        ("instances.list", LIST, "fires"),
        ("instances.*", LIST, "fires"),
        ("*", LIST, "fires"),
        ("*.list", LIST, "fires"),
        ("!instances.create", LIST, "fires"),
        (["instances.create", "instances.list"], LIST, "fires"),
        (["instances.*", "!instances.delete"], LIST, "fires"),
        ("instances.create", LIST, "operation is instances.list, not instances.create"),
        (
            ["instances.*", "!instances.list"],
            LIST,
            "operation is instances.list, not instances.* or !instances.list",
        ),
        ("!instances.*", LIST, "operation is instances.list, not !instances.*"),
        (["images.*", "plans.*"], LIST, "operation is instances.list, not images.* or plans.*"),
        ("instances.list", ("HEAD", "/v1/instances", None), "fires"),
        ("instances.*", ("GET", "/v1/nowhere", None), "operation is nothing, not instances.*"),
        ("instances.*", ("PATCH", "/v1/instances", None), "operation is nothing, not instances.*"),
    ],
)
def test_operations_match_by_name_glob_list_and_exclusion(sandbox, api, operation, request_, expected):
    assert decision(sandbox, api, {"operation": operation}, request_) == expected


@cases(
    ("method", "request_", "expected"),
    [
        ("GET", LIST, "fires"),
        (["POST", "GET"], LIST, "fires"),
        ("!POST", LIST, "fires"),
        ("P*", CREATE, "fires"),
        ("POST", LIST, "method is GET, not POST"),
        ("!GET", LIST, "method is GET, not !GET"),
        ("GET", ("HEAD", "/v1/instances", None), "method is HEAD, not GET"),
    ],
)
def test_methods_match_as_they_came(sandbox, api, method, request_, expected):
    assert decision(sandbox, api, {"method": method}, request_) == expected


@cases(
    ("path", "request_path", "expected"),
    [
        ("/v1/instances", "/v1/instances", "fires"),
        ("/v1/instances", "/v1/instances?page=1", "fires"),
        ("/v1/*", "/v1/nowhere/at/all", "fires"),
        ("/v1/instances/*", "/v1/instances/a%2Fb", "fires"),
        (["/v1/plans", "/v1/instances"], "/v1/instances", "fires"),
        (["/v1/*", "!/v1/instances"], "/v1/plans", "fires"),
        ("/v1/plans", "/v1/instances", "path is /v1/instances, not /v1/plans"),
        ("/v1/instances", "/v1/instances/", "path is /v1/instances/, not /v1/instances"),
        ("/v1/instance[s]", "/v1/instances", "path is /v1/instances, not /v1/instance[s]"),
        ("/v1/instance?", "/v1/instances", "path is /v1/instances, not /v1/instance?"),
        ("!/v1/*", "/v1/plans", "path is /v1/plans, not !/v1/*"),
    ],
)
@pytest.mark.filterwarnings("ignore::cnx_mock.ScenarioWarning")  # no operation has the paths with [s] and ?
def test_paths_match_without_their_query_and_only_stars_are_globs(sandbox, api, path, request_path, expected):
    assert decision(sandbox, api, {"path": path}, ("GET", request_path, None)) == expected


@cases(
    ("name", "wanted", "expected"),
    [
        ("n", 5, "fires"),
        ("n", [4, 5], "fires"),
        ("text", "5", "fires"),
        ("yes", True, "fires"),
        ("none", None, "fires"),
        ("half", 1.5, "fires"),
        ("text", "*", "fires"),
        ("text", "!6", "fires"),
        ("n", "!5", "fires"),
        ("n", "5", 'body n is 5, not "5"'),
        ("text", 5, 'body text is "5", not 5'),
        ("yes", 1, "body yes is true, not 1"),
        ("yes", "true", 'body yes is true, not "true"'),
        ("n", True, "body n is 5, not true"),
        ("n", "*", 'body n is 5, not "*"'),
        ("none", "*", 'body none is null, not "*"'),
        ("text", ["6", "!5"], 'body text is "5", not "6" or "!5"'),
        ("gone", None, "fires"),
        ("n", None, "body n is 5, not null"),
        ("n", 5.0, "fires"),
        ("half", 1, "body half is 1.5, not 1"),
        ("gone", "!x", 'body gone is missing, not "!x"'),
    ],
)
def test_body_values_match_by_name_and_kind(sandbox, api, name, wanted, expected):
    assert decision(sandbox, api, {"body": {name: wanted}}, ("POST", "/v1/instances", BODY)) == expected


@cases(
    ("pointer", "wanted", "expected"),
    [
        ("/a~1b/c~0d/0", "x", "fires"),
        ("/a~1b/c~0d/1", ["x", "y"], "fires"),
        ("//deep", 1, "fires"),
        ("a/b", "x", 'body a/b is an object, not "x"'),
        ("/a~1b/c~0d/2", "x", 'body /a~1b/c~0d/2 is missing, not "x"'),
        ("/a~1b/c~0d/-1", "y", 'body /a~1b/c~0d/-1 is missing, not "y"'),
        ("/a~1b/c~0d", "x", "fires"),
        ("/a~1b/c~0d", "z", 'body /a~1b/c~0d is an array, not "z"'),
        ("/n/0", 5, "body /n/0 is missing, not 5"),
    ],
)
def test_json_pointers_reach_into_a_body(sandbox, api, pointer, wanted, expected):
    assert decision(sandbox, api, {"body": {pointer: wanted}}, ("POST", "/v1/instances", BODY)) == expected


@pytest.mark.parametrize("depth", [10, 200, 990, 5000])
def test_a_deep_body_can_be_explained(sandbox, api, depth):
    sandbox.inject(match={"body": {"name": "x"}}, error="INTERNAL_ERROR")
    assert api.post("/v1/instances", raw=b'{"name":' + b"[" * depth + b"]" * depth + b"}").status == 400
    assert sandbox.requests[-1].decisions[0].fired is False


@cases("raw", [b"", b"{", b"[1]", b"7", b"\xff", b"[" * 5000])
def test_a_body_that_is_none_matches_nothing_and_breaks_nothing(sandbox, api, raw):
    sandbox.inject(match={"body": {"name": "x"}}, error="INTERNAL_ERROR")
    assert api.post("/v1/instances", raw=raw).status == 400
    assert sandbox.requests[-1].decisions[0].reason == 'body name is missing, not "x"'


def test_all_keys_must_hold_and_the_first_that_differs_is_named(sandbox, api):
    match = {"operation": "instances.create", "method": "POST", "path": "/v1/*", "body": {"plan": "pro", "name": "x"}}
    assert decision(sandbox, api, match, CREATE) == 'body name is "prod-api-01", not "x"'
    assert decision(sandbox, api, {**match, "body": {"plan": "pro", "/tags/0": "web"}}, CREATE) == "fires"


def test_a_rule_without_match_means_every_call(sandbox, api):
    rule = sandbox.inject(latency="0s")
    for path in ("/v1/instances", "/v1/plans", "/v1/nowhere"):
        api.get(path)
    assert rule.matched == 3


def test_long_values_are_shown_in_part(sandbox, api):
    said = decision(sandbox, api, {"body": {"name": "x"}}, ("POST", "/v1/instances", {"name": "y" * 5000}))
    assert said.endswith('…, not "x"')
    assert len(said) < 120
