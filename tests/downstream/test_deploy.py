"""The deployment, on good days and bad ones."""

from collections.abc import Iterator

import pytest
import requests
from deploy import Careful, Hasty, OutOfCredits

hasty_has_a_bug = pytest.mark.xfail(raises=AssertionError, strict=True, reason="a retried POST makes two instances")
both = pytest.mark.parametrize("kind", [Hasty, Careful])


@pytest.fixture
def client(cnx, kind) -> Iterator[Hasty]:
    with kind(cnx.url, cnx.api_key) as client:
        yield client


@both
def test_a_deployed_instance_runs(client, cnx):
    assert client.deploy("web-1")["status"] == "running"
    assert [call.operation for call in cnx.requests] == ["instances.create", "instances.get", "instances.get"]


# The test that catches the bug: the careful client passes it, the hasty one must not.
@pytest.mark.cnx_scenario("lost-response")
@pytest.mark.parametrize("kind", [pytest.param(Hasty, marks=hasty_has_a_bug), Careful])
def test_a_lost_answer_leaves_one_instance(client):
    client.deploy("web-1")
    assert len(client.find("web-1")) == 1


# … and this is what the bug looks like from the other side.
@pytest.mark.cnx_scenario("lost-response")
@pytest.mark.parametrize("kind", [Hasty])
def test_the_hasty_client_pays_twice_and_never_knows(client, cnx):
    known = client.deploy("web-1")
    first, second = [call for call in cnx.requests if call.operation == "instances.create"]
    assert (first.status, first.committed, first.faults[0].rule) == (None, True, "lost")
    assert (second.status, second.committed) == (201, True)
    ids = [each["id"] for each in client.find("web-1")]
    assert len(ids) == 2
    assert known["id"] == ids[1]


@both
def test_a_create_that_never_arrived_is_sent_again(client, cnx):
    with cnx.inject("instances.create", connection="reset", times=1) as rule:
        client.deploy("web-1")
    assert rule.fired == 1
    assert len(client.find("web-1")) == 1


@both
def test_reads_are_repeated_on_a_bad_line(client, cnx):
    cnx.inject("instances.get", connection="reset", times=3)
    assert client.deploy("web-1")["status"] == "running"


@both
@pytest.mark.cnx_scenario("insufficient-credits")
def test_an_empty_account_is_said_once_and_not_retried(client, cnx):
    with pytest.raises(OutOfCredits, match=r"\$2\.45"):
        client.deploy("web-1")
    assert len(cnx.requests) == 1


@both
def test_an_error_of_the_cloud_is_an_error(client, cnx):
    cnx.inject("instances.create", error="INTERNAL_ERROR")
    with pytest.raises(requests.HTTPError, match="500"):
        client.deploy("web-1")
    assert client.find("web-1") == []
