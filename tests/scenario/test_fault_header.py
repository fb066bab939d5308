"""`X-CNX-Mock-Fault`: a rule that a request brings along, in the words of `inject` or as a rule in JSON."""

import pytest

from cnx_mock import Sandbox
from tests.cases import cases
from tests.conftest import INSTANCE, Client, Reply

LIST = "/v1/instances"


def get(api: Client, fault: str, path: str = LIST) -> Reply:
    return api.get(path, headers={"X-CNX-Mock-Fault": fault})


def last(sandbox: Sandbox) -> list[tuple[str, bool, str]]:
    return [(each.rule, each.fired, each.reason) for each in sandbox.requests[-1].decisions]


def test_the_documented_header(sandbox, api):
    reply = api.post(LIST, INSTANCE, headers={"X-CNX-Mock-Fault": "error=RATE_LIMITED; retry_after=2s; at=after"})
    assert (reply.status, reply.error["code"], reply.headers["retry-after"]) == (429, "RATE_LIMITED", "2")
    assert last(sandbox) == [("header", True, "match 1")]
    assert len(api.get(LIST).json["data"]) == 1, "at=after: it was created all the same"


def test_it_strikes_its_own_request_only(sandbox, api):
    assert get(api, "error=NOT_FOUND").status == 404
    assert api.get(LIST).status == 200
    assert sandbox.call("GET", "/rules")["data"] == []


@cases(
    ("fault", "status"),
    [
        ("status=503", 503),
        ("  status = 503 ;", 503),
        ('error=INTERNAL_ERROR; message="a; b"', 500),
        ("error=NOT_FOUND; details={a: '1; 2', b: \"x\"}", 404),
        ("headers={set: {X-A: b, X-C: '{'}, remove: [X-RateLimit-Reset]}; status=502", 502),
        ("operation=instances.create; status=503", 200),
        ("match={method: GET}; status=503", 503),
        ("latency=[1ms, 2ms]; status=503", 503),
        ('{"fault": {"status": 503}}', 503),
        ('{"match": {"operation": "instances.*"}, "sequence": [{"status": 501}]}', 501),
    ],
)
def test_values_are_written_as_in_a_file(api, fault, status):
    assert get(api, fault).status == status


def test_the_same_header_again_is_the_same_rule_and_counts_on(sandbox, api):
    """So that a client that can only send a constant header can still fail twice and then succeed."""
    assert [get(api, "status=503; times=2").status for _ in range(4)] == [503, 503, 200, 200]
    assert [get(api, "status=502; times=2").status for _ in range(3)] == [502, 502, 200]
    assert last(sandbox) == [("header", False, "match 3, beyond times 2")]


def test_the_same_header_again_draws_anew(api):
    seen = [get(api, "status=503; probability=0.5").status for _ in range(40)]
    assert set(seen) == {200, 503}


def test_it_is_asked_before_every_other_rule(sandbox, api):
    sandbox.inject(error="INTERNAL_ERROR", id="mine", optional=True)
    assert get(api, "error=NOT_FOUND").status == 404
    assert last(sandbox) == [("header", True, "match 1"), ("mine", False, "behind header")]


def test_a_connection_can_be_cut(api):
    with pytest.raises(ConnectionResetError):
        get(api, "connection=reset")


def test_it_may_hold_in_a_phase_only(server, client):
    sandbox = server.sandbox({"phases": [{"name": "a", "until": {"requests": 1}}, {"name": "b"}]})
    api = client(sandbox.url, sandbox.api_key)
    assert [get(api, "status=503; when={phase: b}").status for _ in range(2)] == [200, 503]


@cases(
    ("fault", "complaint"),
    [
        ("eror=NOT_FOUND", "unknown key 'eror', did you mean 'error'?"),
        ("error=NOT_FOUD", "'error' must be one of: "),
        ("error", "'error' is not key=value: write error=RATE_LIMITED; retry_after=2s"),
        ("", "is empty: write error=RATE_LIMITED; retry_after=2s"),
        (";;", "is empty: write error=RATE_LIMITED; retry_after=2s"),
        ("status=503; status=502", "has status twice"),
        ("status=503; timez=2", "unknown key 'timez'"),
        ("latency=2", "'latency' needs a unit: write 2s or 2ms"),
        ("latency=[1ms", "] is missing in 'latency=[1ms'"),
        ('message="x', '" is missing in '),
        ('{"fault": {"status": 503}', "is not JSON: "),
        ('{"falt": {"status": 503}}', "unknown key 'falt', did you mean 'fault'?"),
        ("operation=plans.list; match={operation: plans.get}; status=500", "is given twice: leave one out"),
        ("operation=instances.creat; status=500", "no operation is called 'instances.creat'"),
        ("status=503; when={phase: a}", "no phase is called 'a' (the scenario has no phases)"),
        ("details={a: &x 1, b: *x}; error=NOT_FOUND", "'a' must be a string"),
        ("status=!!python/none 503", "status: tags are not supported"),
        ("[status]=503", "unknown key '[status]'"),
    ],
)
def test_a_misspelt_header_is_a_400_that_says_how_to_write_it(sandbox, api, fault, complaint):
    reply = get(api, fault)
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    assert complaint in reply.details["X-CNX-Mock-Fault"]


def test_two_such_headers_are_refused(server, sandbox, api, client):
    import http.client

    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"))
    connection.putrequest("GET", LIST)
    connection.putheader("Authorization", f"Bearer {sandbox.api_key}")
    connection.putheader("X-CNX-Mock-Fault", "status=503")
    connection.putheader("X-CNX-Mock-Fault", "status=502")
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, b"is given twice" in response.read()) == (400, True)
    connection.close()


def test_the_control_plane_is_never_faulted(sandbox):
    sandbox.inject(error="INTERNAL_ERROR", id="r", optional=True)
    assert sandbox.call("GET", "/rules/r")["fired"] == 0


def test_a_bad_header_is_counted_and_journaled_like_any_bad_request(sandbox, api):
    reply = get(api, "eror=NOT_FOUND")
    assert reply.headers["x-ratelimit-remaining"] == "299"
    assert sandbox.requests[-1].status == 400
