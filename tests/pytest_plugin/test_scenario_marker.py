"""The marker `cnx_scenario` reaches its test, or the test fails and says why it cannot."""

import pytest

from tests.pytest_plugin.conftest import Run

ONCE = "cnx_scenario names 2 scenarios, but this test can run only once: *"


def test_a_method_of_a_test_case_cannot_run_under_two_and_says_so(run: Run) -> None:
    tests = """
    import unittest

    class TestIt(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def _sandbox(self, cnx):
            self.cnx = cnx

        @pytest.mark.cnx_scenario("calm", "insufficient-credits")
        def test_two(self):
            create(self.cnx)

        @pytest.mark.cnx_scenario("insufficient-credits")
        def test_one(self):
            assert create(self.cnx)[0] == 403
    """
    result = run(tests, beside=("unittest", "debugging"))
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([ONCE])


def test_getfixturevalue_reaches_one_and_refuses_two(run: Run) -> None:
    tests = """
    @pytest.mark.cnx_scenario("insufficient-credits")
    def test_one(request):
        assert create(request.getfixturevalue("cnx"))[0] == 403

    @pytest.mark.cnx_scenario("calm", "insufficient-credits")
    def test_two(request):
        create(request.getfixturevalue("cnx"))
    """
    result = run(tests)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([ONCE])


@pytest.mark.parametrize("asks", ["", "cnx_server", "cnx_module", "tmp_path"])
def test_a_test_that_the_marker_cannot_reach_fails(run: Run, asks: str) -> None:
    result = run(f"@pytest.mark.cnx_scenario('calm')\ndef test_it({asks}): pass")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["cnx_scenario has no effect: this test does not use cnx. *"])


def test_usefixtures_and_other_fixtures_reach_the_sandbox(run: Run) -> None:
    tests = """
    @pytest.fixture
    def client(cnx):
        return cnx

    @pytest.mark.usefixtures("cnx")
    @pytest.mark.cnx_scenario("calm", "insufficient-credits")
    def test_by_name(): pass

    @pytest.mark.cnx_scenario("calm", "insufficient-credits")
    def test_through_another(client):
        assert create(client)[0] in (201, 403)

    @pytest.mark.cnx_scenario("calm", "insufficient-credits")
    def test_both_ways(request, cnx):
        assert request.getfixturevalue("cnx") is cnx
    """
    run(tests).assert_outcomes(passed=6)


def test_two_markers_at_one_place_are_refused(run: Run) -> None:
    tests = """
    @pytest.mark.cnx_scenario("calm")
    @pytest.mark.cnx_scenario("insufficient-credits")
    def test_it(cnx): pass
    """
    result = run(tests)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["cnx_scenario is given twice at the same place: *"])


def test_a_test_that_is_skipped_or_fails_anyway_is_left_alone(run: Run) -> None:
    tests = """
    @pytest.mark.cnx_scenario("calm")
    def test_skipped(): pytest.skip("not here")

    @pytest.mark.xfail(raises=KeyError, strict=True)
    @pytest.mark.cnx_scenario("calm")
    def test_expected(): raise KeyError
    """
    run(tests).assert_outcomes(skipped=1, xfailed=1)


# ---- sandboxes of a wider scope


WIDE = """
pytestmark = pytest.mark.cnx_scenario({"world": {"rate_limit": "7/min"}})

def test_first(cnx_module, cnx_session):
    assert create(cnx_module)[0] == create(cnx_session)[0] == 201
    assert (cnx_module.account.rate_limit, cnx_session.account.rate_limit) == ("7/min", "300/min")

def test_second(cnx_module, cnx_session):
    assert [each.name for each in cnx_module.instances] == ["web-1"]
    assert len(cnx_session.instances) == 1

def test_other(cnx):
    assert len(cnx.instances) == 0
    assert cnx.account.rate_limit == "7/min"
"""


def test_a_module_and_a_session_share_a_sandbox(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_elsewhere="""
        def test_another_module(cnx_module, cnx_session):
            assert len(cnx_module.instances) == 0
            assert cnx_module.account.rate_limit == "300/min"
            cnx_session.clock.freeze()
        """
    )
    run(WIDE).assert_outcomes(passed=4)


def test_a_scenario_of_the_whole_suite_reaches_both(run: Run) -> None:
    tests = """
    def test_it(cnx_module, cnx_session):
        assert create(cnx_module)[0] == create(cnx_session)[0] == 403
    """
    run(tests, "--cnx-scenario", "insufficient-credits").assert_outcomes(passed=1)


def test_a_failing_test_shows_the_journal_of_a_wider_sandbox(run: Run) -> None:
    tests = """
    def test_it(cnx_module):
        create(cnx_module)
        assert False
    """
    result = run(tests)
    result.stdout.fnmatch_lines(
        ["cnx_module, with the requests of earlier tests:", "[#]1 POST /v1/instances → 201 *", "again: pytest *"]
    )


def test_a_rule_of_a_wider_sandbox_must_fire_before_its_end(run: Run) -> None:
    tests = """
    def test_it(cnx_module):
        cnx_module.inject("instances.create", error="INTERNAL_ERROR")
    """
    result = run(tests)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["inject-1 never fired: no request came"])


# ---- what else a report shows


def test_a_test_that_passes_shows_the_calls_that_reached_no_sandbox(run: Run) -> None:
    tests = """
    class Stranger:
        def __init__(self, cnx, api_key):
            self.url, self.api_key = cnx.url, api_key

    def test_live(cnx):
        create(Stranger(cnx, "cnx_live_" + "0" * 32))

    def test_missing(cnx):
        import urllib.error, urllib.request
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(cnx.url + "/v1/plans", timeout=10)
    """
    result = run(tests, "-rP")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "1 request reached no sandbox: *",
            "     POST /v1/instances → 4*",
            "     give the client the key of its sandbox, cnx.api_key, *",
            "1 request reached no sandbox: missing_key",
            "     GET /v1/plans → 401: missing_key",
            "     give the client the key of its sandbox, cnx.api_key, *",
        ]
    )


def test_a_failure_of_ours_is_one_message_whatever_was_handled_meanwhile(run: Run) -> None:
    tests = """
    def test_called(cnx):
        try:
            raise KeyError("theirs")
        except KeyError:
            cnx.requests.assert_called("instances.create")

    def test_misspelt(cnx):
        try:
            raise KeyError("theirs")
        except KeyError:
            cnx.account.ballance = "$5.00"

    def test_theirs():
        try:
            raise KeyError("theirs")
        except KeyError:
            assert 1 == 2
    """
    result = run(tests)
    result.assert_outcomes(failed=3)
    assert result.stdout.str().count("During handling of the above exception") == 1
    result.stdout.fnmatch_lines(
        ["E *AssertionError: expected at least 1 request *", "E *UnknownAttribute: AccountHandle has no 'ballance', *"]
    )


def test_an_ended_rule_does_not_fail_the_test_at_its_end(run: Run) -> None:
    tests = """
    def test_it(cnx):
        rule = cnx.inject("instances.create", error="INTERNAL_ERROR", ttl="30s")
        assert create(cnx)[0] == 500
        cnx.clock.advance("1m")
        assert (create(cnx)[0], rule.fired, rule.ended) == (201, 1, True)
    """
    run(tests).assert_outcomes(passed=1)
