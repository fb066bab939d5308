"""A fixture is read where it is accepted, with a scenario or by itself: one that cannot be used is a 400 with its own
words, and changes nothing; one that can be used is what every new sandbox begins with."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import MockServer, Settings, SourceError
from cnx_mock.asgi import create_app
from tests.conftest import Client, Reply

KEY = "cnx_test_" + "b" * 32
EMPTY = "cnx_test_" + "c" * 32


BROKEN = {"accounts": [{"name": "Team", "balanse": "$5", "instances": [{"name": "web-1", "plan": "gold"}]}]}
"""A fixture with two problems."""

WEB_1 = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "debian-12", "status": "running"}
ONE = {"accounts": [{"name": "Team", "instances": [WEB_1]}]}
"""A fixture with one instance."""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A fixture file with two problems."""
    path = tmp_path / "broken.yaml"
    path.write_text("accounts:\n  - name: Team\n    balanse: $5\n    instances: [{name: web-1, plan: gold}]\n")
    return path


@pytest.fixture
def anyone(own_server: MockServer, client: Callable[..., Client]) -> Client:
    """Calls without a key."""
    return client(own_server.url)


@pytest.fixture
def someone(own_server: MockServer, client: Callable[..., Client]) -> Client:
    """Calls with a key that a client brings."""
    return client(own_server.url, KEY)


def story(fixture: Any) -> dict[str, Any]:
    return {"name": "story", "world": {"fixture": fixture}}


def names(api: Client) -> list[str]:
    return [each["name"] for each in api.get("/v1/instances").json["data"]]


def fresh_key(anyone: Client, **body: Any) -> str:
    return str(anyone.post("/_mock/sandboxes", body).json["api_key"])


def assert_refused(reply: Reply, *words: str) -> None:
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    text = "; ".join(f"{place}: {message}" for place, message in reply.details.items())
    assert [word for word in words if word not in text] == [], text


BROKEN_WORDS = (
    "world.fixture.accounts[0].balanse: unknown key, did you mean 'balance'?",
    "world.fixture.accounts[0].instances[0].plan: must be one of: starter",
)


def test_a_key_that_a_client_brings_gets_the_scenarios_fixture_too(
    own_server: MockServer, anyone: Client, someone: Client, client: Callable[..., Client]
) -> None:
    assert anyone.call("PUT", "/_mock/scenario", story(ONE)).status == 200

    assert names(someone) == ["web-1"]
    assert names(client(own_server.url, fresh_key(anyone))) == ["web-1"]
    assert names(client(own_server.url, fresh_key(anyone, key=EMPTY))) == ["web-1"]


def test_the_next_scenario_takes_the_fixture_of_the_former_one_away(anyone: Client, someone: Client) -> None:
    anyone.call("PUT", "/_mock/scenario", story(ONE))
    anyone.call("PUT", "/_mock/scenario", {"name": "story", "rules": []})

    assert names(someone) == []


def test_without_a_scenario_the_fixture_of_the_settings_is_back(client: Callable[..., Client]) -> None:
    with MockServer(settings=Settings(port=0, fixture="small-team")) as server:
        anyone = client(server.url)
        team = names(client(server.url, fresh_key(anyone)))
        anyone.call("PUT", "/_mock/scenario", story(ONE))
        assert names(client(server.url, fresh_key(anyone))) == ["web-1"]

        anyone.delete("/_mock/scenario")

        assert names(client(server.url, KEY)) == team


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize(
    ("fixture", "words"),
    [
        ("smal-team", ("world.fixture: must be", "did you mean 'small-team'?")),
        ("nowhere/at-all.yaml", ("world.fixture: must be one of: empty", "a request cannot name a file")),
        (BROKEN, BROKEN_WORDS),
    ],
)
def test_a_scenario_whose_fixture_cannot_be_used_is_refused_and_changes_nothing(
    anyone: Client, someone: Client, with_key: bool, fixture: Any, words: tuple[str, ...]
) -> None:
    api = someone if with_key else anyone
    api.call("PUT", "/_mock/scenario", {"name": "before", "description": "as it was", "rules": []})
    before = api.get("/_mock/scenario").json

    reply = api.call("PUT", "/_mock/scenario", story(fixture))

    assert_refused(reply, *words)
    assert api.get("/_mock/scenario").json == before
    assert anyone.post("/_mock/sandboxes", {}).status == 201
    assert names(someone) == []


@pytest.mark.parametrize("key", [None, KEY])
def test_a_sandbox_whose_scenarios_fixture_cannot_be_used_is_not_made(
    anyone: Client, someone: Client, key: str | None
) -> None:
    someone.call("PUT", "/_mock/state", {"name": "small-team"})
    team, count = names(someone), anyone.get("/_mock/health").json["sandboxes"]
    body = {"scenario": story(BROKEN)} | ({} if key is None else {"key": key})

    assert_refused(anyone.post("/_mock/sandboxes", body), *BROKEN_WORDS)
    assert_refused(anyone.post("/_mock/sandboxes", body | {"scenario": [story("nope")]}), "world.fixture: must be")

    assert anyone.get("/_mock/health").json["sandboxes"] == count
    assert names(someone) == team


@pytest.mark.parametrize("key", [None, KEY])
def test_a_sandbox_whose_own_fixture_cannot_be_used_is_not_made(anyone: Client, key: str | None) -> None:
    more = {} if key is None else {"key": key}
    wrong = {"accounts": [{"name": "Team", "balanse": "$5"}]}

    assert_refused(anyone.post("/_mock/sandboxes", {"fixture": "smal-team", **more}), "did you mean 'small-team'?")
    assert_refused(anyone.post("/_mock/sandboxes", {"fixture": wrong, **more}), "accounts[0].balanse: unknown key")

    assert anyone.get("/_mock/health").json["sandboxes"] == 0


def test_a_state_that_cannot_be_used_is_refused_and_changes_nothing(someone: Client) -> None:
    someone.call("PUT", "/_mock/state", {"name": "small-team"})
    before = someone.get("/_mock/state").json

    unknown = someone.call("PUT", "/_mock/state", {"name": "smal-team"})
    wrong = someone.call(
        "PUT", "/_mock/state", {"accounts": [{"name": "Team", "instances": [{"name": "x", "plan": 1}]}]}
    )

    assert_refused(unknown, "did you mean 'small-team'?")
    assert_refused(wrong, "accounts[0].instances[0].plan")
    assert someone.get("/_mock/state").json["accounts"] == before["accounts"]


def test_a_scenario_of_the_command_line_whose_fixture_cannot_be_used_does_not_start(
    tmp_path: Path, broken: Path
) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(f"name: story\nworld: {{fixture: {broken}}}\n")
    with pytest.raises(SourceError, match=r"story\.yaml:2:18: 'fixture': .*broken\.yaml:3:5: unknown key 'balanse'"):
        create_app(Settings(scenario=(str(path),)))

    path.write_text("name: story\nworld: {fixture: smal-team}\n")
    with pytest.raises(SourceError, match=r"story\.yaml:2:18: .* did you mean 'small-team'"):
        create_app(Settings(scenario=(str(path),)))


# ---- paths


@pytest.fixture
def fifo(tmp_path: Path) -> str:
    """A pipe that nobody writes to: opening it would wait for ever."""
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    return str(path)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/dev/tty", "/dev/zero", "FIFO", "./small-team.yaml", "../fixtures/empty.yaml"]
)
def test_no_request_opens_a_file(anyone: Client, someone: Client, fifo: str, path: str) -> None:
    path = fifo if path == "FIFO" else path
    for reply in (
        anyone.call("PUT", "/_mock/scenario", story(path)),
        someone.call("PUT", "/_mock/scenario", story(path)),
        anyone.post("/_mock/sandboxes", {"scenario": story(path)}),
        anyone.post("/_mock/sandboxes", {"scenario": path}),
        anyone.post("/_mock/sandboxes", {"scenario": [{"name": path}]}),
        anyone.post("/_mock/sandboxes", {"fixture": path}),
        anyone.post("/_mock/sandboxes", {"fixture": {"name": path}}),
        someone.call("PUT", "/_mock/state", {"name": path}),
        someone.call("PUT", "/_mock/scenario", {"name": path}),
    ):
        assert_refused(reply, "must be one of")
    assert anyone.get("/_mock/health").status == 200


def test_python_sends_the_fixture_that_a_scenario_names(
    own_server: MockServer, client: Callable[..., Client], tmp_path: Path
) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(ONE))
    story_file = tmp_path / "story.yaml"
    story_file.write_text(f"world: {{fixture: {path}}}\n")

    assert names(client(own_server.url, own_server.sandbox(story_file).api_key)) == ["web-1"]
    sandbox = own_server.sandbox()
    sandbox.use(story(str(path)))
    assert names(client(own_server.url, sandbox.api_key)) == ["web-1"]


def test_a_scenario_file_can_have_its_fixture_in_it(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_text("world:\n  fixture:\n    accounts:\n      - {name: Team, balanse: $5}\n")
    with pytest.raises(SourceError, match=r"story\.yaml:4:22: unknown key 'balanse', did you mean 'balance'"):
        create_app(Settings(scenario=(str(path),)))

    path.write_text(path.read_text().replace("balanse", "balance"))
    with MockServer(str(path)) as server:
        assert server.sandbox().account.balance == "$5.00"


def test_a_file_of_the_command_line_must_be_a_regular_one(fifo: str) -> None:
    for settings in (Settings(scenario=(fifo,)), Settings(fixture=fifo)):
        with pytest.raises(SourceError, match="it is not a regular file"):
            create_app(settings)
