"""Scenario files: every mistake at once, each at its place; and several on top of one another."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from cnx_mock import ControlError, Sandbox, SourceError
from cnx_mock.scenario.gallery import UnknownScenario

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A scenario file in the current folder, so that findings show its bare name."""
    monkeypatch.chdir(tmp_path)

    def story(text: str, name: str = "story.yaml") -> Path:
        path = Path(name)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return story


def findings(sandbox: Sandbox, path: Path) -> list[str]:
    """What is said of a bad file, each finding as line:col: message."""
    with pytest.raises(SourceError) as refusal:
        sandbox.use(path)
    lines = str(refusal.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


BROKEN = {
    "every mistake at once": (
        """
        nam: friday
        rules:
          - id: a b
            mach: {}
            times: 0
            probability: 2
            at: during
            fault: {eror: NOT_FOUND}
        """,
        [
            "1:1: unknown key 'nam', did you mean 'name'?",
            "3:9: 'id' must match ^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$",
            "4:5: unknown key 'mach', did you mean 'match'?",
            "5:12: 'times' must be at least 1",
            "6:18: 'probability' must be a number from 0 to 1",
            "7:9: 'at' must be one of: before, after",
            "8:13: unknown key 'eror', did you mean 'error'?",
        ],
    ),
    "rules that are none": (
        """
        rules:
          - id: x
          - fault: {}
          - fault: 3
          - 7
        """,
        [
            "2:5: 'fault' is required (or sequence)",
            "3:12: 'fault' is empty: name at least one of "
            "bandwidth, body, connection, drip, error, headers, latency, provisioning, stale, status",
            "4:12: 'fault' must be an object",
            "5:5: must be an object",
        ],
    ),
    "faults": (
        """
        rules:
          - fault: {status: 200}
          - fault: {latency: 200}
          - fault: {latency: [2s, 1s]}
          - fault: {connection: rest}
          - fault: {message: hi}
          - fault: {error: NOT_FOUND, connection: reset}
          - fault: {error: NOT_FOUND, details: {a: 1}, retry_after: 2}
        """,
        [
            "2:21: 'status' must be at least 400",
            "3:22: 'latency' a duration needs a unit: write 200s or 200ms",
            "4:22: 'latency' a range goes from the smaller to the larger: [1s, 2s]",
            "5:25: 'connection' must be one of: close, empty, garbage, hang, malformed_chunk, reset, "
            "did you mean 'reset'?",
            "6:13: 'message' says nothing without error or status",
            "7:31: 'connection' is a second outcome: a rule has one",
            "8:44: 'a' must be a string",
            "8:61: 'retry_after' a duration needs a unit: write 2s or 2ms",
        ],
    ),
    "unknown operations": (
        """
        rules:
          - match: {operation: instances.creat}
            fault: {error: NOT_FOUND}
          - match: {operation: ["instances.*", "!instance.delete"]}
            fault: {error: NOT_FOUND}
        """,
        [
            "2:24: 'operation' no operation is called 'instances.creat', did you mean 'instances.create'?",
            "4:40: no operation is called 'instance.delete', did you mean 'instances.delete'?",
        ],
    ),
    "matches of the wrong kind": (
        """
        rules:
          - match: {method: [], path: 3, body: {a: {b: 1}, c: []}}
            fault: {error: NOT_FOUND}
        """,
        [
            "2:21: 'method' must be a text or a list of texts",
            "2:31: 'path' must be a text or a list of texts",
            "2:44: 'a' must be a value or a list of values",
            "2:55: 'c' must be a value or a list of values",
        ],
    ),
    "ids used twice": (
        """
        rules:
          - {id: a, fault: {error: NOT_FOUND}}
          - {id: a, fault: {error: NOT_FOUND}}
          - {fault: {error: NOT_FOUND}}
          - {id: rule-3, fault: {error: NOT_FOUND}}
          - {id: a, fault: {eror: NOT_FOUND}}
        """,
        [
            "3:10: 'id' the id 'a' is already that of rule 1",
            "5:10: 'id' the id 'rule-3' is already that of rule 3",
            "6:10: 'id' the id 'a' is already that of rule 1",
            "6:21: unknown key 'eror', did you mean 'error'?",
        ],
    ),
    "keys set twice": (
        """
        name: a
        name: b
        world: {plan: starter, plan: professional}
        """,
        [
            "2:1: duplicate key 'name' (first set on line 1)",
            "3:24: duplicate key 'plan' (first set on line 3)",
        ],
    ),
    "the world": (
        """
        world:
          plan: pro
          balance: 5.07
          rate_limit: 5
          quotas: {instance: 3}
          clock: {speed: 0, strat: now}
          weather: fine
        """,
        [
            "2:9: 'plan' must be one of: starter, professional, enterprise",
            "3:12: 'balance' 5.07 is not an amount of money: write \"$5.07\", with the sign and two decimals",
            "4:15: 'rate_limit' 5 is not a rate in requests per minute: write 60/min",
            "5:12: unknown key 'instance', did you mean 'instances'?",
            "6:18: 'speed' must be a number above 0, at most 1000000",
            "6:21: unknown key 'strat', did you mean 'start'?",
            "7:3: unknown key 'weather'",
        ],
    ),
    "quotas": ("world: {quotas: {instances: -1}}\n", ["1:29: 'instances' must be at least 0"]),
    "provisioning": (
        """
        provisioning:
          instanc: 45s
          instance: {pols: 3, delay: 45, then: gone}
        """,
        [
            "2:3: unknown key 'instanc', did you mean 'instance'?",
            "3:14: unknown key 'pols', did you mean 'polls'?",
            "3:30: 'delay' a duration needs a unit: write 45s or 45ms",
            "3:40: 'then' must be one of: running, stopped",
        ],
    ),
    "provisioning both ways": (
        "provisioning: {instance: {polls: 3, delay: 4s}}\n",
        ["1:26: 'instance' needs either polls or delay"],
    ),
    "no is no boolean": (
        """
        world:
          clock: {frozen: no}
        """,
        ["2:19: 'frozen' must be true or false ('no' is text here; write false)"],
    ),
    "1:30 is no duration": (
        "provisioning: {instance: 1:30}\n",
        [
            "1:26: 'instance' '1:30' is not a duration: write 250ms, 2s or 1m30s "
            "('1:30' is text here; write a duration as 1m30s, or a time with its date)"
        ],
    ),
    "0777 is no number": (
        "seed: 0777\n",
        [
            "1:7: 'seed' must be an integer "
            "('0777' is text here; write a number without leading zeros, or 0o17 for octal)"
        ],
    ),
    "1_000 is no number": (
        "rules: [{times: 1_000, fault: {status: 500}}]\n",
        [
            "1:17: 'times' must be an integer, or {skip, take}, {every} or {only} "
            "('1_000' is text here; write a number without underscores)"
        ],
    ),
    "a bare date is no instant": (
        "world: {clock: {start: 2026-01-01}}\n",
        [
            "1:24: 'start' '2026-01-01' is not an instant (date, time and offset): write 2026-01-01T00:00:00Z "
            "('2026-01-01' is text here; write an instant as 2026-01-01T00:00:00Z)"
        ],
    ),
    "a tab": ("rules:\n\t- id: a\n", ["2:1: a tab cannot stand here; indent with spaces"]),
    "a list": ("- a\n- b\n", ["1:1: must be an object"]),
    "a text": ("hello\n", ["1:1: must be an object"]),
    "rules as an object": ("rules: {a: 1}\n", ["1:8: 'rules' must be an array"]),
    "two documents": ("name: a\n---\nname: b\n", ["2:1: a second document starts here; a file holds one"]),
    "true is no number": (
        "rules: [{times: true, probability: true, fault: {status: true}}]\n",
        [
            "1:17: 'times' must be an integer, or {skip, take}, {every} or {only}",
            "1:36: 'probability' must be a number from 0 to 1",
            "1:58: 'status' must be an integer",
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_every_mistake_at_its_place(sandbox, write, text, expected):
    assert findings(sandbox, write(text)) == expected


def test_an_unknown_error_code_names_every_code_there_is(sandbox, write):
    (line,) = findings(sandbox, write("rules: [{fault: {error: RATE_LIMITD}}]\n"))
    assert line.startswith("1:25: 'error' must be one of: BAD_REQUEST, FORBIDDEN,")
    assert line.endswith("did you mean 'RATE_LIMITED'? (or use status: alone)")


def test_a_bad_file_changes_nothing(sandbox, api, write):
    sandbox.use("rate-limited")
    findings(sandbox, write("world: {balance: $1.00, rate_limit: 5}\n"))
    assert sandbox.account.rate_limit == "5/min"
    assert sandbox.account.balance == "$100.00"


def test_a_file_that_is_not_there_is_said_to_be_missing(sandbox, write):
    with pytest.raises(SourceError, match=r"missing\.yaml:1:1: cannot be read: No such file"):
        sandbox.use("missing.yaml")


def test_a_misspelt_name_of_the_gallery_gets_the_right_one(sandbox):
    with pytest.raises(UnknownScenario, match="'flaky-netwrk', did you mean 'flaky-network'"):
        sandbox.use("flaky-netwrk")


def test_a_scenario_is_called_as_it_says_or_else_as_its_file(sandbox, write):
    sandbox.use(write("description: fine\n", "stem.yaml"))
    assert sandbox.call("GET", "/scenario")["name"] == "stem"
    sandbox.use(write("name: chosen\n", "stem.yaml"))
    assert sandbox.call("GET", "/scenario")["name"] == "chosen"


def test_an_empty_file_is_a_calm_day(sandbox, api, write):
    sandbox.use(write("# nothing\n"))
    assert api.get("/v1/instances").status == 200


def test_a_rule_without_an_id_is_called_after_its_place(sandbox, write):
    sandbox.use(write("rules:\n  - {id: a, times: 1, fault: {status: 500}}\n  - {fault: {status: 500}}\n"))
    assert [rule["id"] for rule in sandbox.call("GET", "/rules")["data"]] == ["a", "rule-2"]


# ---- several scenarios on top of one another


def test_stacked_scenarios_have_all_rules_in_order_and_single_values_from_the_last(server):
    first = {"name": "one", "world": {"balance": "$1.00", "rate_limit": "7/min"}, "rules": [rule("a"), rule()]}
    second = {"name": "two", "world": {"balance": "$2.00"}, "rules": [rule("b"), rule()]}
    sandbox = server.sandbox([first, second])
    assert [each["id"] for each in sandbox.call("GET", "/rules")["data"]] == ["a", "one:rule-2", "b", "two:rule-2"]
    assert (sandbox.account.balance, sandbox.account.rate_limit) == ("$2.00", "7/min")


def test_stacked_scenarios_cannot_share_an_id(server):
    with pytest.raises(ControlError, match="the id 'a' is used by two of the stacked scenarios"):
        server.sandbox([{"name": "one", "rules": [rule("a")]}, {"name": "two", "rules": [rule("a")]}])


def test_a_stacked_rule_without_an_id_can_be_called_by_its_name(server):
    sandbox = server.sandbox([{"name": "one day", "rules": [rule()]}, {"name": "two", "rules": [rule()]}])
    assert sandbox.call("GET", "/rules/one-day%3Arule-1")["id"] == "one-day:rule-1"


def rule(rule_id: str | None = None) -> dict[str, object]:
    return {"fault": {"latency": "0s"}} | ({} if rule_id is None else {"id": rule_id})
