"""Every error that Python code can meet is below CnxMockError, of one family, and says what is wrong."""

import pickle
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cnx_mock import (
    AuditError,
    CnxMockError,
    ControlError,
    FixtureError,
    FixtureRefusedError,
    InputRefusedError,
    InterceptionError,
    InvalidInputError,
    MockServer,
    NotRunningError,
    ReadingError,
    Sandbox,
    ScenarioError,
    ScenarioRefusedError,
    ServerNotFoundError,
    Settings,
    SettingsError,
    SourceError,
    StartError,
    UnknownFixture,
    UnknownResource,
    UnknownScenario,
)
from cnx_mock.errors import reasons
from cnx_mock.python_api.remote import RemoteServer
from tests.cases import cases

# ---- a scenario or a fixture, in every form and through every door

TWO_PROBLEMS = {"wrld": {}, "rules": [{"fault": {"eror": "INTERNAL_ERROR"}}]}
SCENARIOS = [
    pytest.param("nope", UnknownScenario, ["no scenario is called 'nope'"], id="name"),
    pytest.param({"name": "nope"}, UnknownScenario, ["no scenario is called 'nope'"], id="name-in-a-dict"),
    pytest.param("missing/story.yaml", SourceError, ["missing/story.yaml"], id="no-file"),
    pytest.param(TWO_PROBLEMS, ScenarioError, ["wrld: unknown key", "eror: unknown key, did you mean 'err"], id="dict"),
    pytest.param(
        {"world": {"fixture": "nope"}}, ScenarioError, ["fixture: must be a path, or one of: empty"], id="its-fixture"
    ),
    pytest.param({"world": {"fixture": "no/f.yaml"}}, InvalidInputError, ["no/f.yaml"], id="file-of-its-fixture"),
    pytest.param(42, ScenarioError, ["a scenario is a name, a path, a dict or a Scenario, not int: 42"], id="number"),
    pytest.param({"name": 42}, ScenarioError, ["not int: 42"], id="number-in-a-dict"),
    pytest.param(b"calm", ScenarioError, ["not bytes: b'calm'"], id="bytes"),
    pytest.param(("calm",), ScenarioError, ["not tuple: "], id="tuple"),
]
FIXTURES = [
    pytest.param("nope", UnknownFixture, ["no fixture is called 'nope'"], id="name"),
    pytest.param({"name": "nope"}, UnknownFixture, ["no fixture is called 'nope'"], id="name-in-a-dict"),
    pytest.param("missing/world.json", SourceError, ["missing/world.json"], id="no-file"),
    pytest.param({"acounts": []}, FixtureError, ["acounts: unknown key, did you mean 'accounts'"], id="dict"),
    pytest.param(42, FixtureError, ["a fixture is a name, a path or a dict, not int: 42"], id="number"),
]
Door = Callable[[Sandbox, MockServer, Any], object]


@cases(
    "door",
    [
        pytest.param(lambda sandbox, server, given: MockServer(given).start(), id="MockServer"),
        pytest.param(lambda sandbox, server, given: server.sandbox(given), id="sandbox"),
        pytest.param(lambda sandbox, server, given: server.sandbox(["calm", given]), id="stacked"),
        pytest.param(lambda sandbox, server, given: sandbox.use(given), id="use"),
    ],
)
@cases(("given", "error", "texts"), SCENARIOS)
def test_a_bad_scenario_is_the_same_error_through_every_door(
    server: MockServer, sandbox: Sandbox, door: Door, given: Any, error: type[Exception], texts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        door(sandbox, server, given)
    assert isinstance(caught.value, InvalidInputError)
    assert [text for text in texts if text not in str(caught.value)] == []


@cases(
    "door",
    [
        pytest.param(lambda sandbox, server, given: MockServer(fixture=given).start(), id="MockServer"),
        pytest.param(lambda sandbox, server, given: server.sandbox(fixture=given), id="sandbox"),
        pytest.param(lambda sandbox, server, given: server.sandbox("calm", given), id="sandbox-with-a-scenario"),
        pytest.param(lambda sandbox, server, given: sandbox.load(given), id="load"),
    ],
)
@cases(("given", "error", "texts"), FIXTURES)
def test_a_bad_fixture_is_the_same_error_through_every_door(
    server: MockServer, sandbox: Sandbox, door: Door, given: Any, error: type[Exception], texts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        door(sandbox, server, given)
    assert isinstance(caught.value, InvalidInputError)
    assert [text for text in texts if text not in str(caught.value)] == []


def test_a_fixture_by_its_name_in_a_dict_is_that_fixture_everywhere(server: MockServer) -> None:
    named = {"name": "small-team"}
    with MockServer(fixture=named) as other:
        names = [
            sorted(each["name"] for each in sandbox.state()["accounts"][0]["instances"])
            for sandbox in (other.sandbox(), server.sandbox(fixture=named), server.sandbox(fixture="small-team"))
        ]
    assert names[0] == names[1] == names[2] != []


@pytest.mark.parametrize("given", ["nope", 42])
def test_a_bad_scenario_is_that_error_even_if_the_fixture_is_good(server: MockServer, given: Any) -> None:
    with pytest.raises(ScenarioRefusedError, match="wrld"):
        server.sandbox({"wrld": {}}, {"accounts": [{}]})
    with pytest.raises((UnknownScenario, ScenarioError)):
        server.sandbox(given, "small-team")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"eror": "INTERNAL_ERROR"}, "did you mean 'error'"),
        ({"status": 500, "times": 0}, "times"),
        ({"status": 500, "match": 5}, "match"),
        ({"status": 500, "id": 5}, "id: must be a string, not 5"),
    ],
)
def test_a_rule_that_no_file_could_hold_is_a_scenario_error(
    sandbox: Sandbox, rule: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ScenarioError, match=problem):
        sandbox.inject("instances.create", **rule)


def test_a_refusal_is_an_error_of_the_control_plane_and_of_the_input(sandbox: Sandbox) -> None:
    with pytest.raises(ScenarioError) as caught:
        sandbox.use(TWO_PROBLEMS)
    refused = caught.value
    assert isinstance(refused, ScenarioRefusedError) and isinstance(refused, ControlError)
    assert (refused.status, refused.code, len(refused.problems)) == (400, "VALIDATION_ERROR", 2)
    again = pickle.loads(pickle.dumps(refused))
    assert (type(again), str(again), again.problems) == (ScenarioRefusedError, str(refused), refused.problems)
    with pytest.raises(FixtureRefusedError, match="acounts"):
        sandbox.load({"acounts": []})


# ---- options


@cases(
    "wrong",
    [{"seed": "x"}, {"seed": 1.5}, {"seed": True}, {"speed": "fast"}, {"port": -1}, {"port": "80"}, {"tls": "yes"}],
)
def test_an_option_of_the_wrong_type_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"^'{next(iter(wrong))}' must be "):
        MockServer(**wrong)


@cases(
    "wrong",
    [{"scenario": "calm"}, {"seed": 7.5}, {"host": None}, {"watch": 1}, {"reading": (1,)}, {"journal_size": 1.5}],
)
def test_settings_take_the_declared_types_only(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"^'{next(iter(wrong)).replace('_', '-')}' must be "):
        Settings(**wrong)


@cases(
    ("given", "settings", "complaint"),
    [
        ({"seed": 7}, {}, "seed is 7 here, and '0' in settings: with settings, give it there: Settings(seed=7)"),
        ({"speed": 2.0}, {}, "speed is 2.0 here, and 1.0 in settings"),
        ({"port": 0}, {}, "port is 0 here, and 4269 in settings"),
        ({"tls": True}, {}, "tls is True here, and False in settings"),
        ({"proxy": False}, {"proxy": True}, "proxy is False here, and True in settings"),
        ({"scenario": "calm"}, {"scenario": ("calm",)}, "scenario is given twice: here, and ('calm',) in settings"),
        ({"fixture": "x"}, {"fixture": "small-team"}, "fixture is given twice: here, and 'small-team' in settings"),
    ],
)
def test_an_option_is_given_once(given: dict[str, Any], settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        MockServer(**given, settings=Settings(**settings))
    assert str(caught.value).startswith(complaint)


def test_the_same_value_twice_is_no_contradiction() -> None:
    with MockServer("calm", seed=7, port=0, settings=Settings(port=0, seed="7")) as server:
        assert server.sandbox().call("GET", "/scenario")["name"] == "calm"


def test_settings_must_be_settings() -> None:
    wrong: Any = {"port": 0}
    with pytest.raises(SettingsError, match=r"settings must be a cnx_mock\.Settings, not dict"):
        MockServer(settings=wrong)


def test_a_reading_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ReadingError, match="'a' is not a reading: see `cnx-mock readings`"):
        Settings(reading=("a=b",))


# ---- the state of a server


def test_what_a_server_lacks_is_said_by_one_error() -> None:
    server = MockServer()
    calls: list[Callable[[], object]] = [
        lambda: server.url,
        lambda: server.proxy_url,
        lambda: server.tls_url,
        server.sandbox,
        server.sandboxes,
        server.intercept,
    ]
    for call in calls:
        with pytest.raises(NotRunningError, match="does not run"):
            call()
    with server, pytest.raises(StartError, match="started already"):
        server.start()


def test_a_name_leads_to_one_server(server: MockServer) -> None:
    with (
        MockServer() as other,
        server.intercept(),
        pytest.raises(InterceptionError, match="already leads to"),
        other.intercept(),
    ):
        pass


def test_a_server_that_has_stopped_is_not_found() -> None:
    with MockServer() as server:
        sandbox = server.sandbox()
        rule = sandbox.inject(latency="0s")
    calls: list[Callable[[], object]] = [
        lambda: sandbox.requests,
        lambda: sandbox.clock.now,
        lambda: sandbox.account.plan,
        lambda: sandbox.use("calm"),
        lambda: rule.fired,
        sandbox.audit.assert_clean,
        sandbox.assert_fired,
        sandbox.reset,
    ]
    for call in calls:
        with pytest.raises(ServerNotFoundError, match="no cnx-mock answers at http://127"):
            call()


# ---- what is sent to a server


@cases(
    "call",
    [
        lambda sandbox: sandbox.clock.advance("5"),
        lambda sandbox: sandbox.clock.advance(5),
        lambda sandbox: setattr(sandbox.clock, "speed", "fast"),
        lambda sandbox: setattr(sandbox.account, "plan", "profesional"),
        lambda sandbox: sandbox.instances.add(status="stoped"),
    ],
)
def test_a_value_that_the_server_refuses_is_bad_input(sandbox: Sandbox, call: Callable[[Sandbox], object]) -> None:
    with pytest.raises(InputRefusedError) as caught:
        call(sandbox)
    assert {ControlError, ValueError} <= set(type(caught.value).__mro__)


@cases("wrong", [{"seed": "x"}, {"seed": -1}, {"name": 42}, {"name": "#1"}, {"key": "cnx_test_x"}])
def test_a_bad_name_seed_or_key_is_no_error_of_the_scenario(server: MockServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputRefusedError, match=next(iter(wrong))) as caught:
        server.sandbox("calm", **wrong)
    assert not isinstance(caught.value, ScenarioError)


def test_an_instance_that_does_not_exist_is_not_found_whatever_its_id(sandbox: Sandbox) -> None:
    wrong: Any
    for wrong in ("inst_none", "a b", "../clock", "ü", 5):
        with pytest.raises(UnknownResource):
            sandbox.instances.set_status(wrong, "stopped")


def test_what_cannot_be_sent_is_bad_input(sandbox: Sandbox) -> None:
    endless: dict[str, Any] = {}
    endless["world"] = endless
    calls: list[Callable[[], object]] = [
        lambda: sandbox.use({"rules": {1, 2}}),
        lambda: sandbox.use(endless),
        lambda: sandbox.inject(body=b"x"),
        lambda: sandbox.call("GET", "/a path"),
        lambda: sandbox.call("GET", "/ü"),
        lambda: sandbox.call("G\nT", "/clock"),
    ]
    for call in calls:
        with pytest.raises(InvalidInputError, match="cannot be sent"):
            call()
    assert sandbox.requests == []


def test_conditions_and_checks_that_do_not_exist_are_bad_input(sandbox: Sandbox) -> None:
    with pytest.raises(ScenarioError, match="did you mean 'body'"):
        sandbox.requests.matching(bdy={})
    for wrong in ({"ignore": ["nope"]}, {"also": ["nope"]}, {"nope": 1}, {"poll_interval": "x"}, {"poll_interval": 5}):
        with pytest.raises(AuditError):
            sandbox.audit.findings(**wrong)


# ---- a server elsewhere


@cases(
    "url",
    [
        "",
        "127.0.0.1:4269",
        "https://127.0.0.1:4269",
        "http://",
        "http://:4269",
        "http://127.0.0.1:0",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:4269/v1",
        "http://user:secret@127.0.0.1:4269",
        "http://127.0.0.1:4269 ",
        "http://[::1",
        42,
        None,
    ],
)
def test_a_text_that_is_not_the_url_of_a_server_is_refused(url: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"is not a URL of a cnx-mock: write http://127\.0\.0\.1:4269"):
        RemoteServer(url)


@cases(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b""),
        (200, b"[]"),
        (200, b'{"status": "up"}'),
        (404, b"nothing here"),
        (500, b'{"error": "x"}'),
        (400, b'{"error": {"code": 1, "message": 2, "details": 3}}'),
    ],
)
def test_a_server_that_is_not_a_cnx_mock_is_recognised(status: int, body: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        thread = Thread(target=other.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{other.server_port}"
        with pytest.raises(ServerNotFoundError, match=f"the server at {url} is not a cnx-mock"):
            RemoteServer(url)
        thread.join()


def test_a_server_that_does_not_speak_http_is_not_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = Thread(target=answer)
        thread.start()
        with pytest.raises(ServerNotFoundError, match="no cnx-mock answers at"):
            RemoteServer(f"http://127.0.0.1:{other.getsockname()[1]}")
        thread.join()


def test_a_scenario_file_with_a_name_that_no_file_can_have_is_bad_input(sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("a\0.yaml", tmp_path, str(tmp_path / ("x" * 300 + ".yaml"))):
        with pytest.raises(InvalidInputError):
            sandbox.use(name)


@cases(
    ("call", "message"),
    [
        pytest.param(
            lambda sandbox: setattr(sandbox.clock, "speed", float("nan")),
            "this cannot be sent as JSON: NaN and Infinity are not JSON",
            id="nan",
        ),
        pytest.param(
            lambda sandbox: sandbox.inject(error="INTERNAL_ERROR", message="caf\udce9"),
            r"this cannot be sent as JSON: UTF-8 has no '\udce9'",
            id="surrogate",
        ),
        pytest.param(
            lambda sandbox: sandbox.call("GET", "/_mock/clock"),
            "'/_mock/clock' cannot be sent: write it without /_mock, such as /clock",
            id="prefix",
        ),
        pytest.param(
            lambda sandbox: sandbox.audit.findings(ignore="busy-poll"),
            "ignore must be a list of codes such as ['busy-poll'], not 'busy-poll'",
            id="text",
        ),
        pytest.param(
            lambda sandbox: sandbox.audit.assert_clean(also=5),
            "also must be a list of codes such as ['busy-poll'], not 5",
            id="number",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_before_it_is_sent(
    sandbox: Sandbox, call: Callable[[Sandbox], object], message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call(sandbox)
    assert str(caught.value) == message


def test_an_argument_that_match_or_fault_has_too_is_refused(sandbox: Sandbox) -> None:
    for arguments, place in (
        ({"status": 503, "match": {"operation": "instances.create"}}, "match.operation"),
        ({"status": 503, "fault": {"status": 500}}, "fault.status"),
    ):
        given: dict[str, Any] = dict(arguments)
        with pytest.raises(ScenarioError, match=f"^{place}: is given twice: leave one out$"):
            sandbox.inject("plans.list", **given)


LIVE_DIGITS = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
LIVE_KEY = f"cnx_live_{LIVE_DIGITS}"


@cases(
    "given_by_mistake",
    [
        pytest.param(lambda sandbox, server: server.sandbox(LIVE_KEY), id="scenario"),
        pytest.param(lambda sandbox, server: server.sandbox(f"{LIVE_KEY}.yaml"), id="file"),
        pytest.param(lambda sandbox, server: server.sandbox(LIVE_KEY.encode()), id="bytes"),
        pytest.param(lambda sandbox, server: server.sandbox(fixture=LIVE_KEY), id="fixture"),
        pytest.param(lambda sandbox, server: sandbox.instances[LIVE_KEY], id="resource"),
        pytest.param(lambda sandbox, server: getattr(sandbox, LIVE_KEY), id="attribute"),
        pytest.param(lambda sandbox, server: sandbox.requests.matching(LIVE_KEY), id="operation"),
        pytest.param(lambda sandbox, server: sandbox.requests.assert_called(header={"A": LIVE_KEY}), id="assertion"),
        pytest.param(lambda sandbox, server: sandbox.audit.findings(ignore=[LIVE_KEY]), id="check"),
        pytest.param(lambda sandbox, server: sandbox.audit.findings(**{LIVE_KEY: 1}), id="threshold"),
        pytest.param(lambda sandbox, server: sandbox.inject(LIVE_KEY, error="INTERNAL_ERROR"), id="rule"),
        pytest.param(lambda sandbox, server: Settings(provisioning=LIVE_KEY), id="setting"),
        pytest.param(lambda sandbox, server: RemoteServer(f"http://{LIVE_KEY}.invalid:1"), id="server"),
    ],
)
def test_no_error_shows_a_live_key(
    server: MockServer, sandbox: Sandbox, given_by_mistake: Callable[[Sandbox, MockServer], object]
) -> None:
    with pytest.raises((CnxMockError, AssertionError)) as caught:
        given_by_mistake(sandbox, server)
    shown = [str(caught.value), *(reasons(caught.value) if isinstance(caught.value, CnxMockError) else ())]
    assert not [text for text in shown if LIVE_DIGITS in text]
