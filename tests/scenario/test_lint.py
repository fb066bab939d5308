"""What is valid but can never happen: each case is found at its place, and good files have no warning."""

import warnings
from pathlib import Path

import pytest

from cnx_mock import MockServer, Sandbox, ScenarioWarning
from cnx_mock.scenario.gallery import gallery, linted
from cnx_mock.services import operations
from tests.cases import cases
from tests.conftest import Client
from tests.scenario.conftest import Write

SHADOWED = "rules: [{id: wide, fault: {status: 500}}, {fault: {status: 501}}]\n"
SHADOW = "can never fire: the rule 'wide' before it always wins"

IDLE = {
    "a rule behind one that always wins": (SHADOWED, [f"1:43: {SHADOW}"]),
    "a shaper behind an outcome": (
        "rules: [{id: wide, fault: {status: 500}}, {fault: {latency: 1s}}]\n",
        [f"1:43: {SHADOW}"],
    ),
    "an operation among those of a glob": (
        """
        rules:
          - {id: wide, match: {operation: "instances.*"}, fault: {status: 500}}
          - {match: {operation: [instances.get, instances.list]}, fault: {status: 501}}
          - {match: {operation: instances.create, body: {plan: pro}}, at: after, fault: {connection: reset}}
        """,
        [f"3:5: {SHADOW}", f"4:5: {SHADOW}"],
    ),
    "an operation of a method": (
        """
        rules:
          - {id: wide, match: {method: [GET, HEAD]}, fault: {status: 500}}
          - {match: {operation: instances.list}, fault: {status: 501}}
          - {match: {method: GET}, fault: {status: 501}}
        """,
        [f"3:5: {SHADOW}", f"4:5: {SHADOW}"],
    ),
    "a closer look behind a wider one": (
        """
        rules:
          - {id: wide, match: {header: {X-Team: a}}, fault: {status: 500}}
          - {match: {header: {x-team: a}, query: {limit: 5}}, fault: {status: 501}}
        """,
        [f"3:5: {SHADOW}"],
    ),
    "a sequence that only ever says one thing": (
        "rules: [{id: wide, sequence: [{status: 500}], then: last}, {fault: {status: 501}}]\n",
        [f"1:60: {SHADOW}"],
    ),
    "no chance": (
        "rules: [{fault: {status: 500}, probability: 0}]\n",
        ["1:45: 'probability' is 0: the rule can never fire"],
    ),
    "a sequence of nothing": (
        "rules: [{sequence: [pass, pass]}]\n",
        ["1:20: 'sequence' has only pass: the rule can never fire"],
    ),
    "no time": (
        "rules: [{fault: {status: 500}, ttl: 0s}]\n",
        ["1:37: 'ttl' ends at once: the rule can never fire"],
    ),
    "over before it begins": (
        """
        phases: [{name: calm, for: 10s}, {name: storm}]
        rules:
          - {fault: {status: 500}, ttl: 5s, when: {after: 5s}}
          - {fault: {status: 500}, ttl: 10s, when: {phase: storm}}
        """,
        [
            "3:33: 'ttl' ends before the rule becomes active, which is after 5s",
            "4:33: 'ttl' ends before the rule becomes active, which is after 10s",
        ],
    ),
    "a phase that never comes": (
        """
        phases:
          - {name: calm}
          - {name: storm, for: 10s}
          - {name: after}
        rules:
          - {fault: {status: 500}, when: {phase: storm}}
          - {fault: {status: 500}, when: {phase: "!calm"}}
        """,
        [
            "2:5: never ends, so the phases after it never begin (storm, after): give it for or until",
            "6:42: 'phase' is never reached: the rule can never fire",
            "7:42: 'phase' is never reached: the rule can never fire",
        ],
    ),
    "an age outside its phase": (
        """
        phases: [{name: calm, for: 10s}, {name: storm, for: 10s}, {name: after}]
        rules:
          - {fault: {status: 500}, when: {phase: calm, after: 10s}}
          - {fault: {status: 500}, when: {phase: storm, until: 10s}}
          - {fault: {status: 500}, when: {phase: after, until: 20s}}
        """,
        [
            "3:34: 'when' is never true: the phase lasts from 0s to 10s",
            "4:34: 'when' is never true: the phase lasts from 10s to 20s",
            "5:34: 'when' is never true: the phase lasts from 20s to the end",
        ],
    ),
    "matches of nothing": (
        """
        rules:
          - {match: {operation: instances.create, method: GET}, fault: {status: 500}}
          - {match: {operation: [instances.list, "!instances.*"]}, fault: {status: 500}}
          - {match: {method: GTE}, fault: {status: 500}}
          - {match: {operation: instances.list, resource: "inst_*"}, fault: {status: 500}}
          - {match: {path: /instances}, fault: {status: 500}}
        """,
        [
            "2:51: 'method' does not fit these operations: the rule can never fire",
            "3:25: 'operation' excludes every operation: the rule can never fire",
            "4:22: 'method' is not a method of HTTP, did you mean 'GET'?",
            "5:51: 'resource' has no effect: none of these operations has an id in its path",
            "6:20: 'path' is outside of /v1/: no rule is tried there; did you mean '/v1/instances'?",
        ],
    ),
    "paths and methods of no request": (
        """
        rules:
          - {match: {path: "/v1/plans?page=1"}, fault: {status: 500}}
          - {match: {path: /v1/instance}, fault: {status: 500}}
          - {match: {path: [/v1/instances/, "/v1/snapshot/*", "/v1/billing/report"]}, fault: {status: 500}}
          - {match: {path: "!/v1/Plans"}, fault: {status: 500}}
          - {match: {path: [/v1/images, /regions]}, fault: {status: 500}}
          - {match: {method: [get, pst]}, fault: {status: 500}}
          - {match: {operation: instances.create, path: /v1/plans}, fault: {status: 500}}
          - {match: {operation: instances.get, path: /v1/instances}, fault: {status: 500}}
          - {match: {header: {authorization: null}}, fault: {status: 500}}
          - {match: {path: 1.10}, fault: {status: 500}}
        """,
        [
            "2:20: 'path' has a '?', but a path has no query: write path: /v1/plans, and query: {NAME: VALUE}",
            "3:20: 'path' is not the path of an operation, did you mean '/v1/instances'?",
            "4:21: '/v1/instances/' is not the path of an operation, did you mean '/v1/instances'?",
            "4:37: '/v1/snapshot/*' is not the path of an operation, did you mean '/v1/snapshots/*'?",
            "4:55: '/v1/billing/report' is not the path of an operation, did you mean '/v1/billing/reports'?",
            "5:20: 'path' is not the path of an operation, did you mean '/v1/plans'?",
            "6:33: '/regions' is outside of /v1/: no rule is tried there; did you mean '/v1/regions'?",
            "7:28: 'PST' is not a method of HTTP, did you mean 'POST'?",
            "8:49: 'path' does not fit these operations: the rule can never fire",
            "9:46: 'path' does not fit these operations: the rule can never fire",
            "10:38: 'authorization' is on every request that reaches a rule: it is never missing",
            "11:20: 'path' is outside of /v1/: no rule is tried there",
        ],
    ),
    "faults that do not go with their operations": (
        """
        rules:
          - {match: {operation: instances.create}, fault: {stale: 5s}}
          - {match: {operation: instances.list}, fault: {provisioning: never}}
          - {match: {operation: instances.list, method: HEAD}, fault: {body: malformed_json}}
          - {match: {operation: plans.list, method: HEAD}, sequence: [{drip: {chunks: 2, over: 1s}}, pass]}
          - {match: {operation: plans.list, method: HEAD}, fault: {connection: close}}
          - {match: {operation: plans.list, method: HEAD}, fault: {connection: malformed_chunk}}
        """,
        [
            "2:51: 'fault' can never be applied to instances.create",
            "3:49: 'fault' can never be applied to instances.list",
            "4:63: 'fault' can never be applied to instances.list",
            "5:62: 'sequence' can never be applied to plans.list",
            "6:59: 'fault' can never be applied to plans.list",
            "7:59: 'fault' can never be applied to plans.list",
        ],
    ),
    "expectations beyond times": (
        """
        rules:
          - {id: a, times: 2, fault: {status: 500}}
          - {id: b, times: {only: [1, 4]}, fault: {latency: 1s}}
        expect: {fired: {a: 3, b: 3}}
        """,
        [
            "4:21: 'a' expects 3, but the rule's times allow only 2",
            "4:27: 'b' expects 3, but the rule's times allow only 2",
        ],
    ),
    "what an alias repeats": (
        """
        rules:
          - {id: wide, match: &all {operation: instances.create}, fault: {status: 500}}
          - {id: b, match: *all, fault: {status: 501}}
        """,
        [f"3:5: {SHADOW}"],
    ),
}

GOOD = {
    "behind a rule that is used up": "rules: [{times: 1, fault: {status: 500}}, {fault: {status: 501}}]",
    "behind a rule that skips": "rules: [{times: {skip: 1}, fault: {status: 500}}, {fault: {status: 501}}]",
    "behind a rule of chance": "rules: [{probability: 0.9, fault: {status: 500}}, {fault: {status: 501}}]",
    "behind a rule of a time": "rules: [{when: {after: 1s}, fault: {status: 500}}, {fault: {status: 501}}]",
    "behind a rule that ends": "rules: [{ttl: 5s, fault: {status: 500}}, {fault: {status: 501}}]",
    "behind a shaper": "rules: [{fault: {latency: 1s}}, {fault: {stale: 5s}}, {fault: {status: 501}}]",
    "behind a sequence that passes": "rules: [{sequence: [{status: 500}, pass], then: repeat}, {fault: {status: 501}}]",
    "behind a sequence that ends": "rules: [{sequence: [{status: 500}]}, {fault: {status: 501}}]",
    "matches that overlap": """
        rules:
          - {match: {operation: "instances.*"}, fault: {status: 500}}
          - {match: {method: POST}, fault: {status: 501}}
          - {match: {operation: [instances.create, plans.list]}, fault: {status: 502}}
        """,
    "a method behind another": """
        rules:
          - {match: {method: POST}, fault: {status: 500}}
          - {match: {method: OPTIONS}, fault: {status: 501}}
          - {match: {method: [POST, OPTIONS]}, fault: {status: 502}}
        """,
    "HEAD behind GET": """
        rules:
          - {match: {method: GET}, fault: {status: 500}}
          - {match: {operation: instances.list}, fault: {status: 501}}
        """,
    "unknown paths behind every operation": """
        rules: [{match: {operation: "*"}, fault: {status: 500}}, {fault: {status: 501}}]
        """,
    "bodies, headers, queries and ids of their own": """
        rules:
          - {match: {body: {plan: pro}}, fault: {status: 500}}
          - {match: {body: {plan: micro}}, fault: {status: 501}}
          - {match: {header: {X-A: 1}}, fault: {status: 500}}
          - {match: {header: {X-B: 1}}, fault: {status: 501}}
          - {match: {query: {page: 1, limit: 5}}, fault: {status: 500}}
          - {match: {query: {page: 1}}, fault: {status: 501}}
          - {match: {resource: inst_a}, fault: {status: 500}}
          - {match: {resource: inst_b}, fault: {status: 501}}
          - {match: {path: /v1/instances}, fault: {status: 500}}
          - {match: {path: "/v1/instances*"}, fault: {status: 501}}
        """,
    "paths with ids and globs, and unknown ones on purpose": """
        rules:
          - {match: {operation: instances.get, path: "/v1/instances/inst_*"}, fault: {status: 500}}
          - {match: {path: "/v1/*/fw_1"}, fault: {status: 501}}
          - {match: {path: ["/v1/*", "!/v1/images/ubuntu-22.04-lts"]}, times: 1, fault: {status: 501}}
          - {match: {path: /v1/nowhere}, fault: {status: 501}}
          - {match: {path: "*/api-keys/current"}, fault: {status: 501}}
          - {match: {header: {X-Trace: null}, query: {page: null}, resource: null}, fault: {status: 501}}
        """,
    "behind a fault that is not applied to HEAD": """
        rules: [{fault: {connection: close}}, {fault: {status: 501}}]
        """,
    "one rule a phase": """
        phases: [{name: a, for: 10s}, {name: b, until: {requests: 3}}, {name: c, for: 5s}]
        repeat: true
        rules:
          - {when: {phase: a}, fault: {status: 500}}
          - {when: {phase: b, after: 2h}, fault: {status: 501}}
          - {when: {phase: a, after: 2h, until: 3h}, fault: {status: 502}}
          - {when: {phase: "*"}, fault: {status: 503}}
        """,
    "phases of requests come at any age": """
        phases: [{name: a, until: {requests: 3}}, {name: b, for: 10s}, {name: c}]
        rules:
          - {when: {phase: a, after: 9h}, fault: {status: 500}}
          - {when: {phase: b, until: 1s}, fault: {status: 500}}
          - {when: {phase: c, after: 1s, until: 11s}, fault: {status: 500}}
        """,
    "ramps down to nothing": """
        phases: [{name: a, for: 10s}]
        repeat: true
        rules: [{when: {phase: a}, probability: {from: 0.5, to: 0}, fault: {status: 500}}]
        """,
    "a fault for some of its operations": """
        rules:
          - {match: {operation: "instances.*"}, fault: {stale: 5s}}
          - {match: {method: POST}, fault: {provisioning: never}}
          - {fault: {body: malformed_json}, probability: 0.5}
          - {match: {operation: instances.create}, fault: {stale: 5s, latency: 1s}}
        """,
    "after the effect of a read": "rules: [{match: {method: GET}, at: after, fault: {connection: reset}}]",
    "expectations that can be met": """
        rules:
          - {id: a, times: 2, fault: {status: 500}}
          - {id: b, match: {operation: instances.get}, times: 1, per: resource, fault: {status: 500}}
        expect: {fired: {a: 2, b: 5}}
        """,
}


@cases(("text", "expected"), IDLE.values(), ids=IDLE)
def test_what_can_never_happen_is_found_at_its_place(write: Write, text: str, expected: list[str]) -> None:
    _, lint = linted(str(write(text)), operations())
    assert [line.removeprefix("story.yaml:") for line in str(lint).splitlines()] == expected


@cases("text", GOOD.values(), ids=GOOD)
def test_what_may_happen_raises_no_alarm(write: Write, text: str) -> None:
    _, lint = linted(str(write(text)), operations())
    assert str(lint) == "None"


@cases("name", gallery())
def test_the_gallery_has_nothing_that_never_happens(name: str) -> None:
    assert linted(name, operations())[1] is None


# ---- where it is said


def test_a_scenario_put_in_force_answers_with_warnings(sandbox: Sandbox) -> None:
    rules = [{"id": "wide", "fault": {"status": 500}}, {"fault": {"status": 501}}]
    assert sandbox.call("PUT", "/scenario", {"rules": rules})["warnings"] == [f"rules[1]: {SHADOW}"]
    assert sandbox.call("GET", "/scenario")["warnings"] == [f"rules[1]: {SHADOW}"]


def test_a_rule_put_in_force_answers_with_warnings(sandbox: Sandbox) -> None:
    assert sandbox.call("PUT", "/rules/wide", {"fault": {"status": 500}})["warnings"] == []
    assert sandbox.call("PUT", "/rules/narrow", {"fault": {"status": 501}})["warnings"] == [SHADOW]


def test_a_rule_injected_late_in_a_story_may_be_short(sandbox: Sandbox, api: Client) -> None:
    sandbox.clock.freeze()
    sandbox.clock.advance("1m")
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScenarioWarning)
        sandbox.inject(status=500, ttl="5s", when={"after": "30s"})
    assert api.get("/v1/plans").status == 500


def test_python_warns_at_the_line_that_asked_for_it(server: MockServer, sandbox: Sandbox, write: Write) -> None:
    story = write(SHADOWED)
    asked = [
        lambda: sandbox.use(story),
        lambda: server.sandbox(story),
        lambda: sandbox.inject(status=500, probability={"from": 0, "to": 0}, optional=True),
    ]
    for ask in asked:
        with pytest.warns(ScenarioWarning) as caught:
            ask()
        (warning,) = caught
        assert (warning.filename, warning.lineno) == (__file__, ask.__code__.co_firstlineno)


@cases("text", ["", "# a rule will come\n", "---\n", "null\n"])
def test_an_empty_file_is_no_good_scenario(sandbox: Sandbox, tmp_path: Path, text: str) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(text)
    _, found = linted(str(path), operations())
    assert str(found).endswith(": is empty: this scenario does nothing")
    with pytest.warns(ScenarioWarning, match="story.yaml is empty: this scenario does nothing"):
        sandbox.use(path)


@cases("text", ["{}\n", "name: nothing\n", "description: A control.\n", "rules: []\n"])
def test_a_scenario_may_do_nothing_on_purpose(sandbox: Sandbox, tmp_path: Path, text: str) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(text)
    assert linted(str(path), operations())[1] is None
    assert linted("calm", operations())[1] is None
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScenarioWarning)
        sandbox.use(path)
