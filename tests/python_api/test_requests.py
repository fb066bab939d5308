"""Assertions on the journal, and what they say when they fail."""

from typing import Any

import pytest

from cnx_mock import Sandbox
from tests.conftest import INSTANCE, Client

PATH = "/v1/instances"


@pytest.fixture
def called(sandbox: Sandbox, api: Client) -> Sandbox:
    """A sandbox with four requests."""
    sandbox.inject("instances.create", error="INTERNAL_ERROR", times=1)
    api.post(PATH, {**INSTANCE, "name": "web-1"})
    api.post(PATH, {**INSTANCE, "name": "web-1"})
    api.post(PATH, {**INSTANCE, "name": "web-2"}, headers={"X-Trace": "7"})
    api.get(f"{PATH}?status=running&limit=5")
    return sandbox


def complaint(called: Sandbox, *operation: str, **words: Any) -> list[str]:
    with pytest.raises(AssertionError) as failure:
        called.requests.assert_called(*operation, **words)
    return str(failure.value).splitlines()


def test_what_was_called_passes(called):
    called.requests.assert_called()
    called.requests.assert_called(times=4)
    called.requests.assert_called("instances.*", times=4)
    called.requests.assert_called("instances.create", times=3)
    called.requests.assert_called("instances.create", times=2, body={"name": "web-1"})
    called.requests.assert_called("instances.create", times=1, status=500)
    called.requests.assert_called(["instances.list", "instances.get"], query={"limit": 5, "status": "run*"}, times=1)
    called.requests.assert_called(method="POST", header={"x-trace": 7}, times=1)
    called.requests.assert_called(path="/v1/instances", body={"tags": "web"}, times=3)
    called.requests.assert_not_called("instances.delete")


def test_a_failure_names_the_nearest_request_and_what_differs(called):
    assert complaint(called, "instances.create", body={"name": "web-3"}, status=201) == [
        "expected at least 1 request that matches instances.create, status=201, body={'name': 'web-3'}; found 0",
        'the nearest is #3 POST /v1/instances → 201: body name is "web-2", not "web-3"',
        "#1 POST /v1/instances → 500",
        "#2 POST /v1/instances → 201",
        "#3 POST /v1/instances → 201",
        "#4 GET /v1/instances?status=running&limit=5 → 200",
    ]


def test_every_field_that_differs_is_named(called):
    assert complaint(called, "instances.delete", status=404)[1] == (
        "the nearest is #4 GET /v1/instances?status=running&limit=5 → 200: "
        "operation is instances.list, not instances.delete; status is 200, not 404"
    )


def test_one_too_many_names_the_requests_that_match(called):
    assert complaint(called, "instances.create", times=2) == [
        "expected 2 requests that match instances.create; found 3",
        "they are #1 POST /v1/instances → 500, #2 POST /v1/instances → 201, #3 POST /v1/instances → 201",
    ]
    with pytest.raises(
        AssertionError, match=r"no request that matches instances.list; found 1\nthey are #4 GET .*→ 200$"
    ):
        called.requests.assert_not_called("instances.list")


def test_one_too_few_names_them_too_and_the_nearest(called):
    assert complaint(called, "instances.create", times=3, body={"name": "web-1"})[:3] == [
        "expected 3 requests that match instances.create, body={'name': 'web-1'}; found 2",
        "they are #1 POST /v1/instances → 500, #2 POST /v1/instances → 201",
        'the nearest is #3 POST /v1/instances → 201: body name is "web-2", not "web-1"',
    ]


def test_where_no_request_came_it_says_so(sandbox):
    assert complaint(sandbox, "instances.create") == [
        "expected at least 1 request that matches instances.create; found 0",
        "no request came",
    ]


def test_words_that_no_rule_could_have_are_refused(called):
    with pytest.raises(ValueError, match="no operation is called 'instances.creat', did you mean 'instances.create'"):
        called.requests.assert_called("instances.creat")
    with pytest.raises(ValueError, match="bdy: unknown key, did you mean 'body'"):
        called.requests.assert_called(bdy={})


def test_the_words_of_the_method_itself_are_known_too(called):
    with pytest.raises(ValueError, match="^tims: unknown key, did you mean 'times'"):
        called.requests.assert_called("instances.create", tims=1)
    with pytest.raises(ValueError, match="^stats: unknown key, did you mean 'status'"):
        called.requests.assert_not_called(stats=500)
    with pytest.raises(ValueError, match="^times: unknown key"):  # only assert_called takes it
        called.requests.matching(times=1)
    with pytest.raises(ValueError, match=r"^x: unknown key \(known: body, header, .*, status, times\)$"):
        called.requests.assert_called(x=1)


def test_the_requests_are_a_list_newest_last(called):
    assert [each.seq for each in called.requests] == [1, 2, 3, 4]
    assert [each.seq for each in called.requests.matching("instances.create", body={"name": "web-1"})] == [1, 2]
