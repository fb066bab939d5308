"""How many sandboxes there may be, and how one is given back."""

from collections.abc import Callable, Iterator

import pytest

from cnx_mock import MockServer, Settings
from cnx_mock.world.keys import test_key as key_of
from tests.conftest import Client

LIST = "/v1/instances"


def digits(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
def small(client: Callable[..., Client]) -> Iterator[MockServer]:
    """A server with room for two sandboxes."""
    with MockServer(settings=Settings(port=0, max_sandboxes=2)) as server:
        yield server


def listed(server: MockServer) -> list[dict[str, object]]:
    return list(Client(server.url).get("/_mock/sandboxes").json["data"])


def test_a_key_too_many_is_a_429_that_names_the_option(small):
    for number in (1, 2):
        assert Client(small.url, key_of(digits(number))).get(LIST).status == 200

    refused = Client(small.url, key_of(digits(3))).get(LIST)

    assert (refused.status, refused.error["code"]) == (429, "SANDBOX_LIMIT")
    assert refused.details == {"limit": "2", "option": "--max-sandboxes"}
    assert Client(small.url, key_of(digits(1))).get(LIST).status == 200
    assert len(listed(small)) == 2
    [entry] = Client(small.url).get("/_mock/requests").json["data"]
    assert entry["status"] == 429


def test_the_control_plane_makes_none_either(small):
    for name in ("a", "b"):
        assert Client(small.url).post("/_mock/sandboxes", {"name": name}).status == 201

    for body in ({}, {"name": "c"}, {"key": key_of(digits(9))}):
        reply = Client(small.url).post("/_mock/sandboxes", body)
        assert (reply.status, reply.error["code"]) == (429, "SANDBOX_LIMIT")
    assert Client(small.url, key_of(digits(3))).get("/_mock/rules").status == 429

    assert Client(small.url).post("/_mock/sandboxes", {"name": "a"}).status == 201, "made anew, not one more"


def test_a_sandbox_that_is_given_back_makes_room_and_begins_anew(small):
    first, second = (Client(small.url, key_of(digits(number))) for number in (1, 2))
    first.create()
    second.create()
    [one] = [each for each in listed(small) if each["last4"] == "0001"]

    assert Client(small.url).delete(f"/_mock/sandboxes/{one['id']}").json == {"id": one["id"], "deleted": True}

    assert [each["last4"] for each in listed(small)] == ["0002"]
    assert Client(small.url).delete(f"/_mock/sandboxes/{one['id']}").status == 404
    assert Client(small.url, key_of(digits(3))).get(LIST).status == 200
    assert Client(small.url, key_of(digits(1))).get(LIST).status == 429
    assert len(second.get(LIST).json["data"]) == 1


def test_a_sandbox_with_several_keys_is_one(client):
    with MockServer(fixture="small-team", settings=Settings(port=0, max_sandboxes=1)) as server:
        made = server.sandbox()
        assert Client(server.url, made.api_key).get(LIST).status == 200
        assert len(listed(server)) == 1


def test_the_list_says_how_long_each_was_idle(small):
    Client(small.url, key_of(digits(1))).get(LIST)
    assert [each["idle_seconds"] for each in listed(small)] == [0]
