"""Our errors in a test are short failures: one message, no frame of ours, nothing that went before."""

import re

import pytest

from tests.pytest_plugin.conftest import Run

BAD = """
@pytest.fixture
def world(cnx):
    cnx.load("nope")

def test_inject(cnx):
    cnx.inject("instances.create", eror="INTERNAL_ERROR")

def test_use(cnx):
    cnx.use({"wrld": {}, "ruls": []})

def test_called(cnx):
    cnx.requests.assert_called("instances.create")

def test_fired(cnx):
    cnx.inject("instances.create", error="INTERNAL_ERROR")
    cnx.assert_fired()

def test_fired_at_the_end(cnx):
    cnx.inject("instances.create", error="INTERNAL_ERROR")

def test_clean(cnx):
    cnx.audit.assert_clean(ignore=["nope"])

def test_server():
    from cnx_mock import MockServer
    MockServer(port=-1)

def test_intercept(cnx_intercept):
    from cnx_mock import MockServer
    with MockServer() as other, other.intercept():
        pass

def set_plan(cnx):
    cnx.account.plan = "x"

def test_helper(cnx):
    set_plan(cnx)

def test_fixture(world):
    pass

@pytest.mark.cnx_scenario({"wrld": {}, "ruls": []})
def test_marker(cnx):
    pass
"""
KEYS = "wrld: unknown key, did you mean 'world'?; ruls: unknown key, did you mean 'rules'?"
MARKED = """no sandbox: wrld: unknown key, did you mean 'world'? (+1 more)
ruls: unknown key, did you mean 'rules'?"""
FAILURES = [
    (
        "test_inject",
        '>       cnx.inject("instances.create", eror="INTERNAL_ERROR")',
        "ScenarioRefusedError: fault.eror: unknown key, did you mean 'error'?",
    ),
    (
        "test_use",
        '>       cnx.use({"wrld": {}, "ruls": []})',
        f"ScenarioRefusedError: {KEYS}",
    ),
    (
        "test_called",
        '>       cnx.requests.assert_called("instances.create")',
        "AssertionError: expected at least 1 request that matches instances.create; found 0\nno request came",
    ),
    ("test_fired", ">       cnx.assert_fired()", "AssertionError: inject-1 never fired: no request came"),
    ("test_fired_at_the_end", "", "inject-1 never fired: no request came"),
    (
        "test_clean",
        '>       cnx.audit.assert_clean(ignore=["nope"])',
        "AuditError: no check is called 'nope' (there are …",
    ),
    ("test_server", ">       MockServer(port=-1)", "SettingsError: 'port' must be from 0 to 65535"),
    (
        "test_intercept",
        ">       with MockServer() as other, other.intercept():",
        "InterceptionError: api.cloudnexus.com already leads to the server at …",
    ),
    (
        "test_helper",
        '>       cnx.account.plan = "x"',
        "InputRefusedError: plan: must be one of: starter, professional, enterprise",
    ),
    (
        "ERROR at setup of test_fixture",
        '>       cnx.load("nope")',
        "UnknownFixture: no fixture is called 'nope' (there are empty, fleet, small-team)",
    ),
    ("ERROR at setup of test_marker", "", MARKED),
]


def sections(result: pytest.RunResult) -> dict[str, list[str]]:
    """The lines that pytest shows for each failure, up to our journal."""
    shown: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in result.stdout.lines:
        if head := re.fullmatch(r"_{2,} (.+) _{2,}", line):
            lines = shown[head[1]] = []
        elif re.fullmatch(r"(=+|-+) .+ (=+|-+)", line):
            lines = []
        else:
            lines.append(line)
    return {name: list(filter(None, lines)) for name, lines in shown.items()}


@pytest.fixture
def failures(run: Run) -> dict[str, list[str]]:
    """The failures of the tests above. One run for all of them."""
    result = run(BAD)
    result.assert_outcomes(failed=9, errors=2)
    return sections(result)


def test_an_error_of_ours_is_a_short_failure_at_the_line_of_the_test(failures: dict[str, list[str]]) -> None:
    assert sorted(failures) == sorted(name for name, _, _ in FAILURES)
    for name, line, message in FAILURES:
        lines = failures[name]
        assert not [each for each in lines if "cnx_mock/" in each or "contextlib" in each], name
        assert not [each for each in lines if "exception" in each], name
        marked = [each for each in lines if each.startswith(">")]
        assert marked[-1:] == ([line] if line else []), name
        told = [re.sub(r"^E +(cnx_mock\.errors\.)?", "", each) for each in lines if each.startswith("E ")]
        assert matches("\n".join(told if line else lines).strip(), message), name


def matches(shown: str, message: str) -> bool:
    """Whether a message is shown, and nothing besides; `…` is its rest."""
    start, more, _ = message.partition("…")
    return shown.startswith(start) if more else shown == message


def test_a_short_failure_in_full(run: Run) -> None:
    result = run("def test_it(cnx):\n    cnx.inject('instances.create', eror='INTERNAL_ERROR')")
    [shown] = sections(result).values()
    assert [re.sub(r"…\w+ at http://127\.0\.0\.1:\d+", "…", line) for line in shown] == [
        "cnx = <Sandbox …>",
        "    def test_it(cnx):",
        ">       cnx.inject('instances.create', eror='INTERNAL_ERROR')",
        "E       cnx_mock.errors.ScenarioRefusedError: fault.eror: unknown key, did you mean 'error'?",
        "test_it.py:5: ScenarioRefusedError",
    ]


def test_a_test_of_unittest_has_short_failures_too(run: Run) -> None:
    tests = """
    import unittest

    def use(cnx):
        cnx.use("nope")

    class TestIt(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def _sandbox(self, cnx):
            self.cnx = cnx

        def test_it(self):
            use(self.cnx)
    """
    [shown] = sections(run(tests, beside=("unittest", "debugging"))).values()
    assert [line for line in shown if line.startswith(">")][-1] == '>       cnx.use("nope")'
    assert not [line for line in shown if "cnx_mock/" in line]


@pytest.mark.slow
def test_a_full_trace_has_our_frames(run: Run) -> None:
    result = run("def test_it(cnx):\n    cnx.use('nope')", "--full-trace")
    result.stdout.fnmatch_lines(["*gallery.py:*: UnknownScenario"])


def test_a_failure_of_the_code_under_test_keeps_its_frames(run: Run) -> None:
    tests = """
    def test_it(cnx):
        import json
        json.loads("{")
    """
    result = run(tests)
    result.stdout.fnmatch_lines(["*json/decoder.py:*: JSONDecodeError"])


def test_what_the_code_under_test_made_of_our_error_is_shown_whole(run: Run) -> None:
    tests = """
    def test_it(cnx):
        try:
            cnx.use("nope")
        except LookupError as error:
            raise RuntimeError("no story") from error
    """
    result = run(tests)
    result.stdout.fnmatch_lines(["*UnknownScenario: no scenario is called 'nope'*", "*direct cause*", "E*no story"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("Settings(host='203.0.113.9')", "the server cannot start: port 4269 on 203.0.113.9: *"),
        ("Settings(port=0, scenario=('nope',))", "the server cannot start: no scenario is called 'nope' *"),
        ("{'port': 0}", "the server cannot start: settings must be a cnx_mock.Settings, not dict"),
    ],
)
def test_a_server_that_cannot_start_is_one_message(
    run: Run, pytester: pytest.Pytester, settings: str, message: str
) -> None:
    pytester.makeconftest(
        f"import pytest\nfrom cnx_mock import Settings\n\n"
        f"@pytest.fixture(scope='session')\ndef cnx_settings():\n    return {settings}\n"
    )
    result = run("def test_it(cnx): pass")
    result.assert_outcomes(errors=1)
    [[line]] = sections(result).values()
    assert re.fullmatch(re.escape(message).replace(r"\*", ".*"), line)


@pytest.mark.parametrize("key", ["cnx_test_short", "cnx_live_0123456789abcdef0123456789abcdef"])
def test_a_key_that_is_no_test_key_is_named(run: Run, pytester: pytest.Pytester, key: str) -> None:
    pytester.makeini(f"[pytest]\ncnx_key = {key}\n")
    result = run("def test_it(cnx): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*key: *")
    result.stdout.no_fnmatch_line("*scenario*")


def test_a_server_that_a_test_stopped_is_one_message(run: Run) -> None:
    tests = """
    def test_it(cnx, cnx_server):
        cnx.inject("instances.create", error="INTERNAL_ERROR")
        cnx_server.stop()
    """
    result = run(tests)
    [[line]] = sections(result).values()
    assert line.startswith("cannot find out whether the injected rules fired: no cnx-mock answers at http://127.0.0.1:")


@pytest.mark.parametrize(("scope", "fixture"), [("function", "cnx"), ("session", "cnx_session")])
def test_the_last_test_shows_its_journal_also_if_its_fixtures_fail_at_the_end(
    run: Run, scope: str, fixture: str
) -> None:
    result = run(f"""
    @pytest.fixture(scope="{scope}")
    def deployed({fixture}):
        yield {fixture}
        assert False, "the resources were not removed"

    def test_it(deployed, {fixture}):
        call(deployed, "GET", "/v1/plans")
    """)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the resources were not removed", "*#1 GET /v1/plans → 200 (plans.list)"])
