"""Keys: how they are spelt, what their digits mean, and that a live one leaves no trace."""

import json
import re
import signal
import subprocess

import pytest

from cnx_mock import ControlError, MockServer, Settings
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND

DIGITS = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
LIVE = f"cnx_live_{DIGITS}"
TEST = f"cnx_test_{DIGITS}"
ZEROS = "0" * 29


def test_no_key(server, client):
    reply = client(server.url).get("/v1/instances")

    assert reply.status == 401
    assert reply.error["code"] == "UNAUTHORIZED"
    assert reply.details == {"reason": "missing_key"}


@cases(
    "value",
    [
        "",
        "Bearer",
        f"Basic {TEST}",
        TEST,
        f"Bearer{TEST}",
        "Bearer cnx_test_",
        f"Bearer cnx_test_{DIGITS[:-1]}",
        f"Bearer cnx_test_{DIGITS}0",
        f"Bearer cnx_test_{DIGITS.upper()}",
        f"Bearer CNX_TEST_{DIGITS}",
        f"Bearer cnx_prod_{DIGITS}",
        f"Bearer {DIGITS}",
        f"Bearer {TEST} # Never expose your secret key in client-side code.",
        f"Bearer {TEST}, Bearer {TEST}",
        f'Bearer "{TEST}"',
        f"Bearer cnx_test_{DIGITS[:-1]}g",
    ],
)
def test_a_malformed_key(server, client, value):
    reply = client(server.url).get("/v1/instances", headers={"Authorization": value})

    assert reply.status == 401
    assert reply.details == {"reason": "malformed_key"}


@pytest.mark.parametrize("second", [TEST, LIVE, "nonsense"])
def test_two_authorization_headers_are_one_too_many(wire, second):
    headers = f"Host: x\r\nAuthorization: Bearer {TEST}\r\nauthorization: Bearer {second}\r\n"

    status, _, body = wire(f"GET /v1/plans HTTP/1.1\r\n{headers}\r\n".encode())

    assert status == 401
    assert json.loads(body)["error"]["details"] == {"reason": "malformed_key"}


@cases("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_be_written_in_any_case(server, client, sandbox, scheme):
    headers = {"Authorization": f"{scheme} {sandbox.api_key}"}

    assert client(server.url).get("/v1/plans", headers=headers).status == 200


def test_a_revoked_key(own_server, client):
    api = client(own_server.url, f"cnx_test_401{ZEROS}")

    assert api.get("/v1/instances").details == {"reason": "revoked_key"}
    assert api.get("/_mock/account").status == 200
    [entry] = client(own_server.url).get("/_mock/requests").json["data"]
    assert ["authorization", "revoked"] in entry["request_headers"]


def test_a_key_that_nobody_knows_is_welcome_unless_only_known_ones_are(server, client):
    stranger = "cnx_test_" + "ab" * 16

    assert client(server.url, stranger).get("/v1/instances").status == 200
    with MockServer(settings=Settings(port=0, known_keys_only=True)) as strict:
        reply = client(strict.url, stranger).get("/v1/instances")
        assert (reply.status, reply.details) == (401, {"reason": "unknown_key"})
        assert client(strict.url, TEST).get("/v1/instances").status == 200
        assert client(strict.url, strict.sandbox().api_key).get("/v1/instances").status == 200


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({}, "missing"),
        ({"Authorization": "Basic dXNlcjpzZWNyZXQ="}, "malformed"),
        ({"Authorization": f"Bearer {LIVE}"}, "live"),
        ({"Authorization": f"Bearer {LIVE} # comment"}, "live"),
        ({"Authorization": f"Bearer cnx_test_401{ZEROS}"}, "revoked"),
    ],
)
def test_the_servers_journal_says_what_was_wrong_with_a_key(own_server, client, headers, shown):
    reply = client(own_server.url).get("/v1/plans", headers=headers)

    [entry] = client(own_server.url).get("/_mock/requests").json["data"]
    assert [value for name, value in entry["request_headers"] if name == "authorization"] == [shown]
    assert (entry["status"], entry["request_id"]) == (reply.status, reply.error["request_id"])
    assert (entry["at"], entry["operation"], entry["committed"]) == (None, None, False)


def test_a_sandboxs_journal_shows_only_the_end_of_its_key(sandbox, api):
    api.get("/v1/plans")

    assert ["authorization", f"Bearer cnx_test_…{sandbox.api_key[-4:]}"] in sandbox.requests[0].request_headers
    assert sandbox.api_key not in json.dumps(sandbox.call("GET", "/requests"))


@pytest.mark.parametrize(
    ("digits", "limit"),
    [
        (DIGITS, "300"),
        ("1" * 32, "60"),
        ("2" * 32, "300"),
        ("3" * 32, "1000"),
        ("245" + ZEROS, "300"),
        ("403" + ZEROS, "300"),
        ("429" + ZEROS, "300"),
        ("500" + ZEROS, "300"),
        ("9" * 32, "300"),
    ],
)
def test_the_digits_choose_the_accounts_plan(own_server, client, digits, limit):
    assert client(own_server.url, f"cnx_test_{digits}").get("/v1/plans").headers["x-ratelimit-limit"] == limit


def test_the_enterprise_limit_is_custom(client):
    with MockServer(settings=Settings(port=0, enterprise_limit=1500)) as server:
        reply = client(server.url, "cnx_test_" + "3" * 32).get("/v1/plans")

    assert reply.headers["x-ratelimit-limit"] == "1500"


def test_the_ordinary_accounts_have_a_hundred_dollars(own_server, client):
    balances = [
        client(own_server.url, f"cnx_test_{digits}").get("/_mock/account").json["balance"]
        for digits in (DIGITS, "1" * 32, "2" * 32, "3" * 32, "9" * 32, "245" + ZEROS)
    ]

    assert balances == ["$100.00"] * 5 + ["$2.45"]


def test_the_key_245_gives_the_documented_error_word_for_word(own_server, client, example):
    reply = client(own_server.url, "cnx_test_245" + ZEROS).post("/v1/instances", example)

    assert reply.is_documented_refusal, reply.body


def test_the_key_403_may_read_and_nothing_else(own_server, client, example):
    api = client(own_server.url, "cnx_test_403" + ZEROS)

    assert api.get("/v1/instances").status == 200
    reply = api.post("/v1/instances", example)
    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN")
    assert reply.details["required_scope"] == "instances:write"
    assert "instances:read" in reply.details["granted_scopes"]
    assert "write" not in reply.details["granted_scopes"]


def test_the_key_429_is_over_the_limit_for_ever(own_server, client):
    api = client(own_server.url, "cnx_test_429" + ZEROS)

    for _ in range(3):
        reply = api.get("/v1/instances")
        assert (reply.status, reply.headers["retry-after"], reply.details["retry_after"]) == (429, "60", "60")
        assert api.call("POST", "/_mock/clock/advance", {"by": "60s"}).status == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/instances"), ("POST", "/v1/instances"), ("GET", "/v1/none")])
def test_the_key_500_finds_every_call_broken(own_server, client, method, path):
    api = client(own_server.url, "cnx_test_500" + ZEROS)

    reply = api.call(method, path)

    assert (reply.status, reply.error["code"], reply.details) == (500, "INTERNAL_ERROR", {})
    assert reply.headers["x-ratelimit-remaining"] == "299"
    assert api.get("/_mock/account").status == 200


def test_a_live_key_is_refused(server, client):
    reply = client(server.url, LIVE).get("/v1/instances")

    assert (reply.status, reply.error["code"]) == (403, "LIVE_KEY_REJECTED")
    assert reply.details == {"key_prefix": "cnx_live_", "expected_prefix": "cnx_test_"}
    assert "x-ratelimit-limit" not in reply.headers


def test_a_live_key_makes_no_sandbox(own_server, client):
    client(own_server.url, LIVE).get("/v1/instances")

    assert client(own_server.url, LIVE).get("/_mock/account").status == 403
    assert client(own_server.url).get("/_mock/sandboxes").json["data"] == []


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in LIVE)
ENCODED = "".join(f"%{ord(letter):02X}" for letter in LIVE)
PLACES = {
    "as the key": {"headers": {"Authorization": f"Bearer {LIVE}"}},
    "as the key, with a comment": {"headers": {"Authorization": f"Bearer {LIVE} # production"}},
    "as the key, without a scheme": {"headers": {"Authorization": LIVE}},
    "in the path": {"path": f"/v1/instances/{LIVE}"},
    "in an unknown path": {"path": f"/v1/{LIVE}/instances"},
    "in the path, encoded": {"path": f"/v1/instances/{ENCODED}"},
    "in the path, half encoded": {"path": f"/v1/instances/{LIVE.replace('_', '%5f')}"},
    "in the query": {"path": f"/v1/instances?key={LIVE}&limit={LIVE}"},
    "in the query, encoded": {"path": f"/v1/instances?region={ENCODED}"},
    "in a header": {"headers": {"X-Api-Key": LIVE}},
    "in a header's name": {"headers": {LIVE: "x"}},
    "in the content type": {"raw": b"{}", "headers": {"Content-Type": f"text/{LIVE}"}},
    "in a tag": {"tags": f'"{LIVE}"'},
    "in a tag, in capitals": {"tags": f'"{LIVE.upper()}"'},
    "in a tag, escaped": {"tags": f'"{ESCAPED}"'},
    "in a tag, half escaped": {"tags": '"' + LIVE.replace("_", "\\u005F") + '"'},
    "in a field's name": {"raw": f'{{"{LIVE}": 1}}'.encode()},
    "in a field's name, escaped": {"raw": f'{{"{ESCAPED}": 1, "{ESCAPED}": 2}}'.encode()},
    "in broken JSON": {"raw": f"{{{LIVE}".encode()},
    "in a form": {"raw": f"key={ENCODED}".encode(), "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    "in the control plane's path": {"path": f"/_mock/rules/{LIVE}"},
    "in the control plane's query": {"path": f"/_mock/requests?operation={LIVE}"},
    "as the control plane's key": {"path": "/_mock/clock", "headers": {"Authorization": f"Bearer {LIVE}"}},
    "as the control plane's host": {"path": "/_mock/clock", "headers": {"Host": LIVE}},
    "as the control plane's content type": {
        "path": "/_mock/clock/advance",
        "raw": b"{}",
        "headers": {"Content-Type": LIVE},
    },
    "in the control plane's body": {"path": "/_mock/clock/advance", "raw": f'{{"by": "{ESCAPED}"}}'.encode()},
}


def put(api, place):
    """Send a live key somewhere, and give back all that came of it."""
    path, raw = place.get("path", "/v1/instances"), place.get("raw")
    if "tags" in place:
        raw = f'{{"name":"a","plan":"pro","region":"us-east-1","image":"debian-12","tags":[{place["tags"]}]}}'.encode()
    reply = api.call("GET" if raw is None else "POST", path, raw=raw, headers=place.get("headers"))
    return f"{reply.headers} {reply.body!r}"


def leaked(text):
    """Whether the digits of the live key, or what spells them, can be read out of a text."""
    plain = re.sub(r"\\+u00([0-9a-fA-F]{2})|%([0-9a-fA-F]{2})", lambda m: chr(int(m[1] or m[2], 16)), text)
    return DIGITS in plain.lower()


@pytest.mark.parametrize("place", PLACES)
def test_a_live_key_stands_nowhere_afterwards(own_server, client, place):
    sandbox = own_server.sandbox()
    api, control = client(own_server.url, sandbox.api_key), client(own_server.url)

    said = put(api, PLACES[place])

    for path in ("/_mock/requests", "/_mock/rules", "/_mock/account", "/v1/instances"):
        said += api.get(path).body.decode()
    for path in ("/_mock/requests", "/_mock/sandboxes"):
        said += control.get(path).body.decode()
    assert not leaked(said)


def test_a_live_key_stands_on_no_line_of_the_log(client):
    with commands.Popen(
        [COMMAND, "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        for place in PLACES.values():
            put(client(ready["url"], "cnx_test_" + "7" * 32), place)
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=20)

    assert process.returncode == 0
    assert log.count("\n") >= 15  # an access line for each of the API's calls
    assert not leaked(out + log)


def test_two_keys_do_not_see_each_others_state(server, client):
    one, other = (client(server.url, server.sandbox().api_key) for _ in range(2))

    made = one.create()

    assert other.get("/v1/instances").json["pagination"]["total"] == 0
    assert other.get(f"/v1/instances/{made['id']}").status == 404
    assert other.delete(f"/v1/instances/{made['id']}").status == 404
    assert one.get(f"/v1/instances/{made['id']}").status == 200


def test_two_keys_do_not_share_faults_clock_window_and_journal(server, client):
    one, other = server.sandbox(), server.sandbox()
    here, there = client(server.url, one.api_key), client(server.url, other.api_key)

    one.inject("plans.*", error="INTERNAL_ERROR")
    one.clock.freeze()
    one.clock.advance("100d")
    one.account.balance = "$0.00"
    here.get("/v1/plans")
    here.get("/v1/plans")

    reply = there.get("/v1/plans")
    assert (reply.status, reply.headers["x-ratelimit-remaining"]) == (200, "299")
    assert (one.clock.now - other.clock.now).days >= 99
    assert other.account.balance == "$100.00"
    assert [len(one.requests), len(other.requests)] == [2, 1]


def test_the_same_key_is_the_same_world_for_every_client(own_server, client):
    first, second = (client(own_server.url, f"cnx_test_{'c' * 32}") for _ in range(2))

    made = first.create()

    assert second.get(f"/v1/instances/{made['id']}").json["name"] == made["name"]


def test_a_key_has_a_world_of_its_own_on_every_server(own_server, server, client):
    key = f"cnx_test_{'d' * 32}"

    client(own_server.url, key).create()

    assert client(server.url, key).get("/v1/instances").json["data"] == []


def test_code_with_a_hard_coded_key_gets_that_keys_world_made_anew(own_server, client):
    api = client(own_server.url, TEST)
    api.create()

    sandbox = own_server.sandbox("rate-limited", key=TEST)

    assert sandbox.api_key == TEST
    assert api.get("/v1/instances").json["data"] == []
    assert api.get("/v1/plans").headers["x-ratelimit-limit"] == "5"
    assert [entry.path for entry in sandbox.requests] == ["/v1/instances", "/v1/plans"]


def test_a_magic_key_that_is_taken_over_keeps_its_meaning(own_server, client, example):
    sandbox = own_server.sandbox(key="cnx_test_245" + ZEROS)

    assert (
        client(own_server.url, sandbox.api_key).post("/v1/instances", example).error["code"] == "INSUFFICIENT_CREDITS"
    )


def test_a_key_that_is_taken_over_is_a_known_one(client):
    with MockServer(settings=Settings(port=0, known_keys_only=True)) as strict:
        sandbox = strict.sandbox(key="cnx_test_" + "ab" * 16)

        assert client(strict.url, sandbox.api_key).get("/v1/plans").status == 200


@pytest.mark.parametrize("key", [LIVE, DIGITS, "cnx_test_", TEST.upper(), TEST + "0"])
def test_only_a_test_key_can_be_taken_over(own_server, key):
    with pytest.raises(ControlError) as refusal:
        own_server.sandbox(key=key)

    assert list(refusal.value.details) == ["key"]
    assert not leaked(str(refusal.value))
