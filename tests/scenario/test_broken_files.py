"""A corpus of broken scenario files: every mistake in a file is reported at once, at its exact place, with what to
write instead."""

from textwrap import dedent

import jsonschema_rs
import pytest

from cnx_mock import Sandbox, SourceError
from cnx_mock.scenario.gallery import linted
from cnx_mock.scenario.json_schema import schema
from cnx_mock.services import operations
from cnx_mock.text.source import read
from tests.cases import cases
from tests.scenario.conftest import Write

BROKEN: dict[str, tuple[str, list[str]]] = {
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
            "3:9: 'id' must begin with a letter or a digit, and have at most 100 letters, digits and . _ : -",
            "4:5: unknown key 'mach', did you mean 'match'?",
            "5:12: 'times' must be at least 1",
            "6:18: 'probability' must be a number from 0 to 1",
            "7:9: 'at' must be one of: before, after",
            "8:13: unknown key 'eror', did you mean 'error'?",
        ],
    ),
    "what is not a rule": (
        """
        rules:
          - id: x
          - fault: {}
          - fault: 3
          - 7
        """,
        [
            "2:5: needs fault or sequence",
            "3:12: 'fault' is empty: name at least one of bandwidth, body, connection, delivery, drip, error, "
            "fail_handshakes, gateway, headers, latency, provisioning, refuse_connections, revoked, stale, status",
            "4:12: 'fault' must be an object: {error: INTERNAL_ERROR}",
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
            "3:22: 'latency' needs a unit: write 200s or 200ms",
            "4:22: 'latency' must go from the smaller to the larger: [1s, 2s]",
            "5:25: 'connection' must be one of: close, dies_idle, empty, garbage, hang, malformed_chunk, reset; "
            "did you mean 'reset'?",
            "6:13: 'message' has no effect without error or status",
            "7:31: 'connection' is a second outcome: a rule can have only one",
            "8:44: 'a' must be a string",
            "8:61: 'retry_after' needs a unit: write 2s or 2ms",
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
            "2:24: 'operation': no operation is called 'instances.creat', did you mean 'instances.create'?",
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
            "2:21: 'method' must be a string or a list of strings",
            "2:44: 'a' must be a single value, or a list of them",
            "2:55: 'c' must be a single value, or a list of them",
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
            "3:10: 'id' must be unique: rule 1 has the id 'a' too",
            "5:10: 'id' must be unique: rule 3 has the id 'rule-3' too",
            "6:10: 'id' must be unique: rule 1 has the id 'a' too",
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
            "2:9: 'plan' must be one of: starter, professional, enterprise; did you mean 'professional'?",
            "3:12: 'balance' must be an amount of money such as \"$5.07\", with the sign and two decimals, not 5.07",
            "4:15: 'rate_limit' must be a rate in requests per minute such as 60/min, not 5",
            "5:12: unknown key 'instance', did you mean 'instances'?",
            "6:18: 'speed' must be a number above 0 and at most 1000000",
            "6:21: unknown key 'strat', did you mean 'start'?",
            "7:3: unknown key 'weather' (known: balance, clock, fixture, plan, quotas, rate_limit, readings)",
        ],
    ),
    "quotas": (
        "world: {quotas: {instances: -1}}\n",
        [
            "1:29: 'instances' must be at least 0",
        ],
    ),
    "provisioning": (
        """
        provisioning:
          instanc: 45s
          instance: {pols: 3, delay: 45, then: gone}
        """,
        [
            "2:3: unknown key 'instanc', did you mean 'instance'?",
            "3:14: unknown key 'pols', did you mean 'polls'?",
            "3:30: 'delay' needs a unit: write 45s or 45ms",
            "3:40: 'then' must be one of: running, stopped",
        ],
    ),
    "provisioning both ways": (
        "provisioning: {instance: {polls: 3, delay: 4s}}\n",
        [
            "1:26: 'instance' cannot have both polls and delay: leave one out",
        ],
    ),
    "no is not a boolean": (
        """
        world:
          clock: {frozen: no}
        """,
        [
            "2:19: 'frozen' must be true or false ('no' is text here; write false)",
        ],
    ),
    "1:30 is not a duration": (
        "provisioning: {instance: 1:30}\n",
        [
            "1:26: 'instance' must be a duration such as 250ms, 2s or 1m30s, not '1:30' ('1:30' is text here; "
            "write a duration as 1m30s, or a time with its date)",
        ],
    ),
    "0777 is not a number": (
        "seed: 0777\n",
        [
            "1:7: 'seed' must be an integer ('0777' is text here; write a number without leading zeros, or "
            "0o17 for octal)",
        ],
    ),
    "1_000 is not a number": (
        "rules: [{times: 1_000, fault: {status: 500}}]\n",
        [
            "1:17: 'times' must be an integer, or {skip, take}, {every} or {only} ('1_000' is text here; "
            "write a number without underscores)",
        ],
    ),
    "a bare date is not an instant": (
        "world: {clock: {start: 2026-01-01}}\n",
        [
            "1:24: 'start' must be an instant with date, time and offset such as 2026-01-01T00:00:00Z, not "
            "'2026-01-01' ('2026-01-01' is text here; write an instant as 2026-01-01T00:00:00Z)",
        ],
    ),
    "a tab": (
        "rules:\n\t- id: a\n",
        [
            "2:1: a tab is not allowed here; indent with spaces",
        ],
    ),
    "a list": (
        """
        - a
        - b
        """,
        [
            "1:1: must be an object",
        ],
    ),
    "a text": (
        "hello\n",
        [
            "1:1: must be an object",
        ],
    ),
    "rules as an object": (
        "rules: {a: 1}\n",
        [
            "1:8: 'rules' must be an array: begin each item with a dash",
        ],
    ),
    "two documents": (
        """
        name: a
        ---
        name: b
        """,
        [
            "2:1: a second document begins here; a file can have only one",
        ],
    ),
    "true is not a number": (
        "rules: [{times: true, probability: true, fault: {status: true}}]\n",
        [
            "1:17: 'times' must be an integer, or {skip, take}, {every} or {only}",
            "1:36: 'probability' must be a number from 0 to 1",
            "1:58: 'status' must be an integer",
        ],
    ),
    "every form of times": (
        """
        rules:
          - {fault: {status: 500}, times: {}}
          - {fault: {status: 500}, times: {skip: 0}}
          - {fault: {status: 500}, times: {evry: 5}}
          - {fault: {status: 500}, times: {every: 5, only: [1]}}
          - {fault: {status: 500}, times: {only: []}}
          - {fault: {status: 500}, times: {only: [1, 0, x]}}
          - {fault: {status: 500}, times: [1, 4]}
          - {fault: {status: 500}, times: 2.5}
          - {fault: {status: 500}, times: "2"}
          - {fault: {status: 500}, times: {take: 2s}}
          - {fault: {status: 500}, times: {only: 3}}
          - {fault: {status: 500}, times: null}
        """,
        [
            "2:35: 'times' must have skip and take, or every, or only",
            "3:42: 'skip' must be at least 1",
            "4:36: unknown key 'evry', did you mean 'every'?",
            "5:35: 'times' must have skip and take, or every, or only",
            "6:42: 'only' must have at least 1 item",
            "7:46: must be at least 1",
            "7:49: must be an integer",
            "8:35: 'times' must be an integer, or {skip, take}, {every} or {only}",
            "9:35: 'times' must be an integer, or {skip, take}, {every} or {only}",
            "10:35: 'times' must be an integer, or {skip, take}, {every} or {only}",
            "11:42: 'take' must be an integer",
            "12:42: 'only' must be an array",
        ],
    ),
    "per": (
        """
        rules:
          - {fault: {status: 500}, per: resource}
          - {fault: {status: 500}, times: 2, per: instance}
          - {fault: {status: 500}, times: 2, per: key}
        """,
        [
            "2:28: 'per' has no effect without times",
            "3:43: 'per' must be one of: sandbox, resource",
            "4:43: 'per' must be one of: sandbox, resource",
        ],
    ),
    "when": (
        """
        phases: [{name: a, for: 30s}, {name: b}]
        rules:
          - {fault: {status: 500}, when: a}
          - {fault: {status: 500}, when: {}}
          - {fault: {status: 500}, when: {phase: c}}
          - {fault: {status: 500}, when: {phase: [a, bb, "!zz"]}}
          - {fault: {status: 500}, when: {phase: 3}}
          - {fault: {status: 500}, when: {after: 30}}
          - {fault: {status: 500}, when: {after: 30s, until: 30s}}
          - {fault: {status: 500}, when: {since: 30s}}
          - {fault: {status: 500}, when: {phase: []}}
        """,
        [
            "3:34: 'when' must be an object: {phase: outage}",
            "5:42: 'phase': no phase is called 'c' (the phases are a, b)",
            "6:46: no phase is called 'bb', did you mean 'b'? (the phases are a, b)",
            "6:50: no phase is called 'zz' (the phases are a, b)",
            "7:42: 'phase' must be a string or a list of strings",
            "8:42: 'after' needs a unit: write 30s or 30ms",
            "9:34: 'when' must have an after that is before its until",
            "10:35: unknown key 'since' (known: after, phase, until)",
            "11:42: 'phase' must be a string or a list of strings",
        ],
    ),
    "a phase of no phases": (
        """
        rules:
          - {fault: {status: 500}, when: {phase: outage}}
        """,
        [
            "2:42: 'phase': no phase is called 'outage' (the scenario has no phases)",
        ],
    ),
    "phases": (
        """
        phases:
          - {name: a, for: 30s}
          - {name: a, for: 30s}
          - {name: b, for: 30s, until: {requests: 3}}
          - {for: 3s}
          - {name: "x y", for: 0s}
          - {name: d, until: 20}
          - {name: e, until: {requests: 0}}
          - {name: f, until: {request: 3}}
          - {name: g, for: 30}
          - outage
          - {name: h, fro: 3s}
        """,
        [
            "3:12: 'name' must be unique: there is already a phase 'a'",
            "4:5: has both for and until: leave one of them out",
            "5:5: 'name' is required",
            "6:12: 'name' must begin with a letter or a digit, and have at most 100 letters, digits and . _ -",
            "6:24: 'for' must be longer than 0s",
            "7:22: 'until' must be an object: {requests: 20}",
            "8:33: 'requests' must be at least 1",
            "9:22: 'requests' is required",
            "9:23: unknown key 'request', did you mean 'requests'?",
            "10:20: 'for' needs a unit: write 30s or 30ms",
            "11:5: must be an object: {for: 30s, name: outage}",
            "12:15: unknown key 'fro', did you mean 'for'?",
        ],
    ),
    "phases as an object": (
        "phases: {healthy: 30s}\n",
        [
            "1:9: 'phases' must be an array: begin each item with a dash",
        ],
    ),
    "a phase that lasts no time": (
        "phases: [{name: a, for: 0s}, {name: b}]\n",
        [
            "1:25: 'for' must be longer than 0s",
        ],
    ),
    "a phase with two ends": (
        "phases: [{name: a, for: 1s, until: {requests: 1}}, {name: b}]\n",
        [
            "1:10: has both for and until: leave one of them out",
        ],
    ),
    "an endless phase that repeats": (
        """
        repeat: true
        phases:
          - {name: a, for: 1s}
          - {name: b}
        """,
        [
            "4:5: never ends, but the phases repeat: give it for or until",
        ],
    ),
    "repeat without phases": (
        "repeat: true\n",
        [
            "1:1: 'repeat' has no effect without phases",
        ],
    ),
    "yes is not a boolean": (
        """
        repeat: yes
        phases: [{name: a, for: 1s}]
        """,
        [
            "1:9: 'repeat' must be true or false ('yes' is text here; write true)",
        ],
    ),
    "chance": (
        """
        phases: [{name: a, for: 30s}, {name: b}]
        rules:
          - {fault: {status: 500}, probability: {from: 0, to: 0.4}}
          - {fault: {status: 500}, probability: {from: 0, to: 0.4}, when: {phase: b}}
          - {fault: {status: 500}, probability: {from: 0, to: 40}, when: {phase: a}}
          - {fault: {status: 500}, probability: {from: 0}, when: {phase: a}}
          - {fault: {status: 500}, probability: {start: 0, to: 1}, when: {phase: a}}
          - {fault: {status: 500}, probability: [0, 1], when: {phase: a}}
          - {fault: {status: 500}, probability: 30%, when: {phase: a}}
          - {fault: {status: 500}, probability: .nan}
        """,
        [
            "3:41: 'probability' is a ramp, and needs a phase: when: {phase: NAME}",
            "4:41: 'probability' is a ramp, and needs a phase with `for`: b has none",
            "5:55: 'to' must be a number from 0 to 1",
            "6:41: 'to' is required",
            "7:41: 'from' is required",
            "7:42: unknown key 'start' (known: from, to)",
            "8:41: 'probability' must be a number from 0 to 1",
            "9:41: 'probability' must be a number from 0 to 1",
            "10:41: 'probability' must be a number from 0 to 1",
        ],
    ),
    "sequences": (
        """
        rules:
          - {fault: {status: 500}, sequence: [pass]}
          - {sequence: []}
          - {sequence: pass}
          - {sequence: [{status: 500}, pas, {eror: X}, 3]}
          - {sequence: [{status: 500}], then: again}
          - {fault: {status: 500}, then: pass}
          - {fault: pass}
          - {fault: [{status: 500}]}
          - {sequence: {status: 500}}
          - {sequence: [{error: NOT_FOUND, status: 200}]}
        """,
        [
            "2:28: 'sequence' cannot be used together with fault: leave one out",
            "3:16: 'sequence' must have at least 1 item",
            "4:16: 'sequence' must be an array",
            "5:32: must be an object: {error: INTERNAL_ERROR}",
            "5:38: unknown key 'eror', did you mean 'error'?",
            "5:48: must be an object: {error: INTERNAL_ERROR}",
            "6:39: 'then' must be one of: pass, repeat, last",
            "7:28: 'then' has no effect without sequence",
            "8:13: 'fault' must be an object: {error: INTERNAL_ERROR}",
            "9:13: 'fault' must be an object: {error: INTERNAL_ERROR}",
            "10:16: 'sequence' must be an array: begin each item with a dash",
            "11:44: 'status' must be at least 400",
        ],
    ),
    "matches": (
        """
        rules:
          - {fault: {status: 500}, match: {query: status}}
          - {fault: {status: 500}, match: {query: {status: {a: 1}}}}
          - {fault: {status: 500}, match: {header: [x]}}
          - {fault: {status: 500}, match: {header: {X-A: []}}}
          - {fault: {status: 500}, match: {resource: 3}}
          - {fault: {status: 500}, match: {resource: "!"}}
          - {fault: {status: 500}, match: {headers: {a: b}}}
          - {fault: {status: 500}, match: instances.create}
          - {fault: {status: 500}, match: {body: 3}}
          - {fault: {status: 500}, match: {operation: "instances.*", method: FETCH}}
          - {fault: {status: 500}, match: {operation: "nothing.*"}}
          - {fault: {status: 500}, match: {operation: "!instances.*"}}
          - {fault: {status: 500}, match: {method: FETCH}}
          - {fault: {status: 500}, match: {body: {a: 99999999999999999999999}}}
        """,
        [
            "2:43: 'query' must be an object",
            "3:52: 'status' must be a single value, or a list of them",
            "4:44: 'header' must be an object",
            "5:50: 'X-A' must be a single value, or a list of them",
            "7:46: 'resource' must be a string or a list of strings, or null",
            "8:36: unknown key 'headers', did you mean 'header'?",
            "9:35: 'match' must be an object: {operation: instances.create}",
            "10:42: 'body' must be an object",
            "12:47: 'operation': no operation is called 'nothing.*'",
            "15:46: 'a' must be a number of at most 64 bits",
        ],
    ),
    "ttl": (
        """
        rules:
          - {fault: {status: 500}, ttl: 5}
          - {fault: {status: 500}, ttl: 1h30}
          - {fault: {status: 500}, ttl: never}
          - {fault: {status: 500}, ttl: 0s}
        """,
        [
            "2:33: 'ttl' needs a unit: write 5s or 5ms",
            "3:33: 'ttl' must be a duration such as 250ms, 2s or 1m30s, not '1h30'",
            "4:33: 'ttl' must be a duration such as 250ms, 2s or 1m30s, not 'never'",
        ],
    ),
    "expectations": (
        """
        rules:
          - {id: once, fault: {status: 500}, times: 1}
        expect:
          fired: {onse: 1, once: -1}
          audit: spotless
        """,
        [
            "4:11: 'onse' is not the id of a rule, did you mean 'once'?",
            "4:26: 'once' must be at least 0",
            "5:10: 'audit' must be one of: clean",
        ],
    ),
    "expectations as a list": (
        "expect: {fired: [a]}\n",
        [
            "1:17: 'fired' must be an object",
        ],
    ),
    "an expectation in words": (
        """
        rules:
          - {id: a, fault: {status: 500}}
        expect: {fired: {a: once}, audits: 3}
        """,
        [
            "3:21: 'a' must be an integer",
            "3:28: unknown key 'audits', did you mean 'audit'?",
        ],
    ),
    "stale": (
        """
        rules:
          - {fault: {stale: 5}}
          - {fault: {stale: 0s}}
          - {fault: {stale: [1s, 2s]}}
        """,
        [
            "2:21: 'stale' needs a unit: write 5s or 5ms",
            "3:21: 'stale' must be longer than 0s",
            "4:21: 'stale' must be a duration such as 250ms, 2s or 1m30s, not a list",
        ],
    ),
    "provisioning of one call": (
        """
        rules:
          - {fault: {provisioning: {polls: 3, delay: 4s}}}
          - {fault: {provisioning: {}}}
          - {fault: {provisioning: 45}}
          - {fault: {provisioning: ever}}
          - {fault: {provisioning: {pols: 3}}}
          - {fault: {provisioning: {then: gone}}}
          - {fault: {provisioning: {instance: 45s}}}
          - {fault: {provisioning: [1s]}}
        """,
        [
            "2:28: 'provisioning' cannot have both polls and delay: leave one out",
            "3:28: 'provisioning' must have polls, delay or then",
            "4:28: 'provisioning' needs a unit: write 45s or 45ms",
            "5:28: 'provisioning' must be a duration such as 250ms, 2s or 1m30s, not 'ever'",
            "6:29: unknown key 'pols', did you mean 'polls'?",
            "7:35: 'then' must be one of: running, stopped",
            "8:29: unknown key 'instance' (known: delay, polls, then)",
            "9:28: 'provisioning' must have two durations: [100ms, 300ms]",
        ],
    ),
    "slow bodies": (
        """
        rules:
          - {fault: {drip: 5}}
          - {fault: {drip: {chunks: 0, over: 2s}}}
          - {fault: {drip: {chunks: 5}}}
          - {fault: {drip: {chunks: 5, over: 2}}}
          - {fault: {bandwidth: 20}}
          - {fault: {bandwidth: 20KB}}
          - {fault: {bandwidth: 20kb/s}}
          - {fault: {bandwidth: 20KB/s, drip: {chunks: 2, over: 1s}}}
        """,
        [
            "2:20: 'drip' must be an object: {chunks: 5, over: 2s}",
            "3:29: 'chunks' must be at least 1",
            "4:20: 'over' is required",
            "5:38: 'over' needs a unit: write 2s or 2ms",
            "6:25: 'bandwidth' needs a unit: write 20B/s or 20KB/s",
            "7:25: 'bandwidth' must be a bandwidth such as 8B/s, 20KB/s or 1MiB/s, not '20KB'",
            "8:25: 'bandwidth' must be a bandwidth such as 8B/s, 20KB/s or 1MiB/s, not '20kb/s'",
            "9:33: 'drip' is a second pace: a rule can have only one",
        ],
    ),
    "headers": (
        """
        rules:
          - {fault: {headers: {}}}
          - {fault: {headers: {Retry-After: 3}}}
          - {fault: {headers: {set: {X: 3}}}}
          - {fault: {headers: {set: {"X Y": a}}}}
          - {fault: {headers: {remove: X}}}
          - {fault: {headers: {set: {X: "a\\nb"}}}}
          - {fault: {headers: {set: {content-length: "3"}}}}
          - {fault: {headers: {remove: [Content-Length]}}}
          - {fault: {headers: {set: {X: é}}}}
        """,
        [
            "2:23: 'headers' needs set or remove: {set: {Content-Type: text/html}, remove: [X-RateLimit-Reset]}",
            "3:24: unknown key 'Retry-After' (known: remove, set)",
            "5:30: 'X Y' must be a header's name, such as X-RateLimit-Reset",
            "6:32: 'remove' must be an array of header names: [X-RateLimit-Reset]",
            "7:33: 'X' must be printable ASCII in one line",
            "8:30: 'content-length' frames the body and cannot be changed: use body: {truncate: 0.5} or connection: "
            "malformed_chunk",
            "9:33: frames the body and cannot be changed: use body: {truncate: 0.5} or connection: malformed_chunk",
            "10:33: 'X' must be printable ASCII in one line",
        ],
    ),
    "bodies": (
        """
        rules:
          - {fault: {body: truncate}}
          - {fault: {body: {truncate: 2}}}
          - {fault: {body: {corrupt: 8}}}
          - {fault: {body: {corupt: 8B}}}
          - {fault: {body: {truncate: 0.5, corrupt: 8B}}}
          - {fault: {body: {}}}
        """,
        [
            "2:20: 'body' must be one of: malformed_json, {corrupt: …}, {truncate: …}; did you mean '{truncate: …}'?",
            "3:31: 'truncate' must be a number from 0 to below 1: 0.5 sends half of the body",
            "4:30: 'corrupt' needs a unit: write 8B or 8KB",
            "5:20: 'body' must be one of: malformed_json, {corrupt: …}, {truncate: …}; did you mean '{corrupt: …}'?",
            "6:21: unknown key 'truncate' (known: corrupt)",
            "7:20: 'body' must be one of: malformed_json, {corrupt: …}, {truncate: …}",
        ],
    ),
    "latency": (
        """
        rules:
          - {fault: {latency: {median: 80ms}}}
          - {fault: {latency: {median: 80ms, p99: 10ms}}}
          - {fault: {latency: {median: 80ms, p90: 10ms}}}
          - {fault: {latency: {median: 80, p99: 10}}}
          - {fault: {latency: [1s]}}
          - {fault: {latency: -1s}}
          - {fault: {latency: 1s2h}}
          - {fault: {latency: 200000d}}
          - {fault: {latency: [100, 200]}}
        """,
        [
            "2:23: 'p99' is required",
            "3:23: 'latency' must go from the smaller to the larger, all above 0s: {median: 80ms, p99: 2s, max: 5s}",
            "4:23: 'p99' is required",
            "4:38: unknown key 'p90', did you mean 'p99'?",
            "5:32: 'median' needs a unit: write 80s or 80ms",
            "5:41: 'p99' needs a unit: write 10s or 10ms",
            "6:23: 'latency' must have two durations: [100ms, 300ms]",
            "7:23: 'latency' must be a duration such as 250ms, 2s or 1m30s, not '-1s' (it cannot be negative)",
            "8:23: 'latency' must be a duration such as 250ms, 2s or 1m30s, not '1s2h' (units go from large to "
            "small, each at most once)",
            "9:23: 'latency' must be at most 36525d (100 years), not '200000d'",
            "10:23: 'latency' needs a unit: write 100s or 100ms",
        ],
    ),
    "errors": (
        """
        rules:
          - {fault: {error: INTERNAL_ERROR, status: 99}}
          - {fault: {error: 500}}
          - {fault: {retry_after: 2s}}
          - {fault: {status: 503, retry_after: 2}}
          - {fault: {status: 503, details: {a: 3}}}
          - {fault: {status: 503, details: [a]}}
          - {fault: {status: "503"}}
        """,
        [
            "2:45: 'status' must be at least 400",
            "3:21: 'error' must be one of: BAD_REQUEST, FORBIDDEN, HTTPS_REQUIRED, INSUFFICIENT_CREDITS, "
            "INTERNAL_ERROR, INVALID_STATE, LIVE_KEY_REJECTED, METHOD_NOT_ALLOWED, NOT_FOUND, PAYLOAD_TOO_LARGE, "
            "QUOTA_EXCEEDED, RATE_LIMITED, REGION_UNAVAILABLE, UNAUTHORIZED, VALIDATION_ERROR (or use status: "
            "alone)",
            "4:14: 'retry_after' has no effect without error or gateway or status",
            "5:40: 'retry_after' needs a unit: write 2s or 2ms",
            "6:40: 'a' must be a string",
            "7:36: 'details' must be an object",
            "8:22: 'status' must be an integer",
        ],
    ),
    "merge keys": (
        """
        base: &base {status: 500}
        rules:
          - fault:
              <<: *base
        """,
        [
            "1:1: unknown key 'base', did you mean 'phases'?",
            "4:7: 'fault' is empty: name at least one of bandwidth, body, connection, delivery, drip, error, "
            "fail_handshakes, gateway, headers, latency, provisioning, refuse_connections, revoked, stale, status",
            "4:7: merge keys (<<) are not supported; write the keys out",
        ],
    ),
    "tags": (
        """
        seed: !!int 3
        rules:
          - fault: !fault {status: 500}
        """,
        [
            "1:7: tags are not supported: '!!int'",
            "3:12: tags are not supported: '!fault'",
        ],
    ),
    "a tag that would run code": (
        "name: !!python/object/apply:os.system [ls]\n",
        [
            "1:7: 'name' must be a string",
            "1:7: tags are not supported: '!!python/object/apply:os.system'",
        ],
    ),
    "a control character": (
        "name: a\x07b\n",
        [
            "1:8: the character U+0007 is not allowed here",
        ],
    ),
    "a number of 200 digits": (
        "seed: " + "9" * 200 + "\n",
        [
            "1:7: 'seed' must be an integer",
            "1:7: a number of 200 characters is too long; use at most 100, or put a string in quotes",
        ],
    ),
    "200 digits where a count belongs": (
        "rules: [{fault: {status: 500}, times: " + "9" * 200 + "}]\n",
        [
            "1:39: 'times' must be an integer, or {skip, take}, {every} or {only}",
            "1:39: a number of 200 characters is too long; use at most 100, or put a string in quotes",
        ],
    ),
    "numbers of 90 digits": (
        """
        seed: NINES
        rules: [{fault: {status: 500}, times: NINES, ttl: NINES, probability: NINES}]
        world: {balance: NINES, clock: {speed: NINES}, quotas: {instances: NINES}}
        provisioning: {polls: NINES}
        """.replace("NINES", "9" * 90),
        [
            "1:7: 'seed' must be below 9223372036854775808",
            "2:39: 'times' must be at most 1000000000",
            "2:136: 'ttl' must be a duration such as 250ms, 2s or 1m30s, not this value",
            "2:241: 'probability' must be a number from 0 to 1",
            "3:18: 'balance' must be an amount of money such as \"$5.07\", with the sign and two decimals, not this"
            " value",
            "3:125: 'speed' must be a number above 0 and at most 1000000",
            "3:238: 'instances' must be at most 1000000000",
            "4:23: 'polls' must be at most 1000000",
        ],
    ),
    "an aliased mistake is shown once, where it was written": (
        """
        rules:
          - {id: a, fault: &f {eror: X}, times: 1}
          - {id: b, fault: *f}
        """,
        [
            "2:24: unknown key 'eror', did you mean 'error'?",
        ],
    ),
    "an alias of nothing": (
        "name: *x\n",
        [
            "1:7: the alias 'x' has no anchor before it",
        ],
    ),
    "an alias of itself": (
        "rules: &r [*r]\n",
        [
            "1:12: the alias 'r' is inside its own anchor",
        ],
    ),
    "an open brace": (
        """
        rules:
          - {fault: {status: 500}
        """,
        [
            "2:26: the map needs ',' or '}' here",
        ],
    ),
    "an open quote": (
        'name: "abc\n',
        [
            "1:11: the quoted text is not closed",
        ],
    ),
    "a key that is a list": (
        """
        ? [a, b]
        : c
        """,
        [
            "1:3: a key must be text",
        ],
    ),
    "a key that is null": (
        "~: 3\n",
        [
            "1:1: unknown key '~' (known: description, expect, name, phases, provisioning, repeat, rules, seed, world)",
        ],
    ),
    "a directive": (
        """
        %YAML 1.1
        ---
        name: a
        """,
        [
            "1:1: directives are not supported: a line cannot begin with %",
        ],
    ),
    "a value that begins with @": (
        "name: @x\n",
        [
            "1:7: a value cannot begin with '@'; put it in quotes",
        ],
    ),
    "a colon in a text": (
        "description: Creates fail: twice\n",
        [
            "1:26: a colon is not allowed here; put a string with a colon in quotes, or check the indentation",
        ],
    ),
    "a wrong indentation": (
        """
        rules:
          - id: a
           fault: {status: 500}
        """,
        [
            "3:4: this does not fit into the list that begins on line 2; check the indentation and the quotes",
        ],
    ),
    "a value that begins with %": (
        """
        rules:
          - fault: {status: 500}
            probability: %30
        """,
        [
            "3:18: a value cannot begin with '%'; put it in quotes",
        ],
    ),
    "a key of a rule twice": (
        """
        rules:
          - fault: {status: 500}
            fault: {status: 501}
        """,
        [
            "3:5: duplicate key 'fault' (first set on line 2)",
        ],
    ),
    "infinity and not a number": (
        """
        world: {clock: {speed: .inf}}
        rules: [{fault: {body: {truncate: .nan}}}]
        """,
        [
            "1:24: 'speed' must be a number above 0 and at most 1000000",
            "2:35: 'truncate' must be a number from 0 to below 1: 0.5 sends half of the body",
        ],
    ),
    "a long name": (
        "name: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        [
            "1:7: 'name' must have at most 100 characters",
        ],
    ),
    "an empty name": (
        "name: ''\n",
        [
            "1:7: 'name' must have at least 1 character",
        ],
    ),
    "a name that is a number": (
        "name: 3\n",
        [
            "1:7: 'name' must be a string",
        ],
    ),
    "other kinds at the top": (
        """
        seed: -1
        repeat: 1
        description: [a]
        """,
        [
            "1:7: 'seed' must be at least 0",
            "2:9: 'repeat' must be true or false",
            "3:14: 'description' must be a string",
        ],
    ),
    "a seed in words": (
        "seed: random\n",
        [
            "1:7: 'seed' must be an integer",
        ],
    ),
    "keys without a value": (
        """
        rules:
        phases:
        world:
        expect:
        provisioning:
        name:
        seed:
        repeat:
        description:
        """,
        [
            "1:7: 'rules' must be an array",
            "2:8: 'phases' must be an array",
            "3:7: 'world' must be an object: {balance: $5.07}",
            "4:8: 'expect' must be an object: {instances: 1}",
            "5:14: 'provisioning' must be an object: {instance: 45s}",
            "8:8: 'repeat' must be true or false",
            "9:13: 'description' must be a string",
        ],
    ),
    "a rule without a word": (
        """
        rules:
          -
        """,
        [
            "2:4: must be an object",
        ],
    ),
    "readings and a fixture of no such name": (
        "world: {readings: {delete-anser: '204', delete-answer: 204}, fixture: small-tem}\n",
        [
            "1:20: 'delete-anser' is not a reading, did you mean 'delete-answer'?",
            "1:56: 'delete-answer' must be one of: 200-body, 200-empty-object, 204 (as text, in quotes)",
            "1:71: 'fixture' must be a path, or one of: empty, fleet, small-team; did you mean 'small-team'?",
        ],
    ),
    "readings as a list": (
        "world: {readings: [a], fixture: nope.yaml}\n",
        [
            "1:19: 'readings' must be an object",
        ],
    ),
    "the clock": (
        "world: {clock: {start: 2026-13-01T00:00:00Z, frozen: 1, speed: -1}}\n",
        [
            "1:24: 'start' must be a date and a time that exist, not '2026-13-01T00:00:00Z'",
            "1:54: 'frozen' must be true or false",
            "1:64: 'speed' must be a number above 0 and at most 1000000",
        ],
    ),
    "a clock that is an instant": (
        "world: {clock: 2026-01-01T00:00:00Z}\n",
        [
            "1:16: 'clock' must be an object: {speed: 60}",
        ],
    ),
    "a rate and an amount": (
        "world: {rate_limit: 5/s, balance: 5$}\n",
        [
            "1:21: 'rate_limit' must be a rate in requests per minute such as 60/min, not '5/s'",
            "1:35: 'balance' must be an amount of money such as \"$5.07\", with the sign and two decimals, not '5$'",
        ],
    ),
    "ranges and counts of provisioning": (
        "provisioning: {instance: [90s, 30s], snapshot: 5, load_balancer: soon, polls: -1}\n",
        [
            "1:26: 'instance' must go from the smaller to the larger: [30s, 90s]",
            "1:48: 'snapshot' needs a unit: write 5s or 5ms",
            "1:66: 'load_balancer' must be a duration such as 250ms, 2s or 1m30s, not 'soon'",
            "1:79: 'polls' must be at least 0",
        ],
    ),
    "provisioning for all": (
        "provisioning: 45s\n",
        [
            "1:15: 'provisioning' must be an object: {instance: 45s}",
        ],
    ),
    "something after the end": (
        """
        name: a
        ...
        name: b
        """,
        [
            "3:1: this does not belong to what is before it; check the indentation and the quotes",
        ],
    ),
    "rules in words": (
        "rules: none\n",
        [
            "1:8: 'rules' must be an array",
        ],
    ),
    "an id that is a number": (
        "rules: [{id: 5, fault: {status: 500}}]\n",
        [
            "1:14: 'id' must be a string",
        ],
    ),
    "an expectation of a rule that is not there": (
        """
        rules: [{fault: {status: 500}}]
        expect: {fired: {rule-1: 1, rule-2: 1}}
        """,
        [
            "2:29: 'rule-2' is not the id of a rule, did you mean 'rule-1'?",
        ],
    ),
    "an object in a body": (
        "rules: [{fault: {status: 500}, match: {body: {/a/b: {c: 1}}}}]\n",
        [
            "1:53: '/a/b' must be a single value, or a list of them",
        ],
    ),
    "words of another tool": (
        "rules: [{fault: {status: 500}, on: x, if: y, count: 3, delay: 2s, percent: 3}]\n",
        [
            "1:32: unknown key 'on' (known: at, fault, id, match, per, probability, sequence, then, times, ttl, when)",
            "1:39: unknown key 'if' (known: at, fault, id, match, per, probability, sequence, then, times, ttl, when)",
            "1:46: unknown key 'count' (known: at, fault, id, match, per, probability, sequence, then, "
            "times, ttl, when)",
            "1:56: unknown key 'delay' (known: at, fault, id, match, per, probability, sequence, then, "
            "times, ttl, when)",
            "1:67: unknown key 'percent', did you mean 'per'?",
        ],
    ),
    "a fault's key beside fault": (
        "rules: [{latency: 2s}]\n",
        [
            "1:10: unknown key 'latency'; it belongs to fault: write fault: {latency: …}",
        ],
    ),
    "a misspelt fault": (
        "rules: [{falt: {status: 500}}]\n",
        ["1:10: unknown key 'falt', did you mean 'fault'?"],
    ),
    "a misspelt sequence": (
        "rules: [{sequenc: [pass]}]\n",
        ["1:10: unknown key 'sequenc', did you mean 'sequence'?"],
    ),
    "a text that is no boolean anywhere": (
        "rules: [{times: yes, fault: {latency: off}, when: {after: no}}]\n",
        [
            "1:17: 'times' must be an integer, or {skip, take}, {every} or {only}",
            "1:39: 'latency' must be a duration such as 250ms, 2s or 1m30s, not 'off'",
            "1:59: 'after' must be a duration such as 250ms, 2s or 1m30s, not 'no'",
        ],
    ),
    "an error beside fault": (
        "rules: [{error: NOT_FOUND, id: a}]\n",
        [
            "1:10: unknown key 'error'; it belongs to fault: write fault: {error: …}",
        ],
    ),
}

UNREADABLE: dict[str, tuple[bytes, str]] = {
    "an alias that explodes": (
        b"a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        b"b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        b"c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
        b"d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
        b"e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n",
        "5:20: there are more than 50000 values",
    ),
    "lists in lists": (b"rules: " + b"[" * 70 + b"]" * 70 + b"\n", "1:71: this is nested deeper than 64 levels"),
    "Latin-1": (b"name: caf\xe9\n", "is not UTF-8 (byte 0xe9 at position 9)"),
    "UTF-16 without a mark": ("name: x\n".encode("utf-16-le"), "1:2: the character U+0000 is not allowed here"),
    "a mistake in UTF-16": ("nmae: a\r\n".encode("utf-16"), "1:1: unknown key 'nmae', did you mean 'name'?"),
    "half a character of UTF-16": (b"\xff\xfen", "is not UTF-16 (byte 0x6e at position 2)"),
    "a null byte": (b"name: a\x00b\n", "1:8: the character U+0000 is not allowed here"),
    "a megabyte": (b"description: " + b"x" * (1 << 20) + b"\n", "1:1: is larger than 1048576 bytes"),
    "a mistake behind a byte order mark": (b"\xef\xbb\xbfnmae: a\n", "1:1: unknown key 'nmae', did you mean 'name'?"),
    "a mistake in lines of Windows": (b"name: a\r\nseed: x\r\n", "2:7: 'seed' must be an integer"),
}

BEYOND_A_SCHEMA = {
    "provisioning both ways",
    "a phase of no phases",
    "a phase that lasts no time",
    "an endless phase that repeats",
    "repeat without phases",
    "an expectation of a rule that is not there",
}
"""What a JSON Schema cannot express, or only with much text."""


def _found(path: str) -> list[str]:
    """Return the problems of a bad file, each as line:col: message."""
    with pytest.raises(SourceError) as error:
        linted(path, operations())
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:").lstrip() for line in lines]


@cases(("text", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_an_error_with_every_mistake_at_its_place(
    write: Write, text: str, expected: list[str]
) -> None:
    assert _found(str(write(text))) == expected


@cases(("content", "expected"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_can_hardly_be_read_is_an_error_where_it_goes_wrong(write: Write, content: bytes, expected: str) -> None:
    path = write("")
    path.write_bytes(content)
    assert _found(str(path)) == [expected]


def test_a_sandbox_reports_the_same_problems_of_a_file(sandbox: Sandbox, write: Write) -> None:
    text, expected = BROKEN["every mistake at once"]
    with pytest.raises(SourceError) as error:
        sandbox.use(write(text))
    assert [line.removeprefix("story.yaml:") for line in str(error.value).splitlines()] == expected


def _readable() -> dict[str, object]:
    """Return the broken files that are valid YAML, as data."""
    found: dict[str, object] = {}
    for name, (text, _) in BROKEN.items():
        try:
            source = read(dedent(text).lstrip("\n"), name)
        except SourceError:
            continue
        if not source.problems:
            found[name] = source.data
    return found


def test_an_editor_with_the_schema_marks_most_of_them() -> None:
    check = jsonschema_rs.Draft202012Validator(schema(operations()))
    missed = {name for name, data in _readable().items() if check.is_valid(data)}
    assert missed == BEYOND_A_SCHEMA
