"""How a suite is set up: options, ini options, several scenarios, a server of somebody else's."""

import pytest

from cnx_mock import MockServer
from tests.pytest_plugin.conftest import Run

CODE = """
def code(cnx):
    status, body = create(cnx)
    return body["error"]["code"] if status >= 400 else status
"""


def ini(pytester: pytest.Pytester, *lines: str) -> None:
    pytester.makeini("\n".join(["[pytest]", *lines]))


def test_ini_options_give_scenario_and_seed_to_the_whole_suite(run: Run, pytester: pytest.Pytester) -> None:
    ini(pytester, "cnx_scenario = insufficient-credits", "cnx_seed = 7")
    result = run(CODE + "def test_it(cnx): assert code(cnx) == 'INSUFFICIENT_CREDITS'")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["cnx-mock: seed 7, scenario insufficient-credits"])


def test_the_command_line_beats_the_ini_options(run: Run, pytester: pytest.Pytester) -> None:
    ini(pytester, "cnx_scenario = insufficient-credits", "cnx_seed = 7")
    result = run(CODE + "def test_it(cnx): assert code(cnx) == 201", "--cnx-scenario=calm", "--cnx-seed=8")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["cnx-mock: seed 8, scenario calm"])


@pytest.mark.parametrize("seed", ["x", "-1", "1.5"])
def test_a_seed_that_is_none_ends_the_run_at_once(run: Run, pytester: pytest.Pytester, seed: str) -> None:
    ini(pytester, f"cnx_seed = {seed}")
    result = run("def test_it(cnx): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: cnx_seed: '{seed}' is not a whole number of at most 18 digits"])


def test_scenarios_are_found_by_name_in_the_suites_own_folders(run: Run, pytester: pytest.Pytester) -> None:
    ini(pytester, "cnx_scenario_dirs = stories more")
    for folder, status in (("stories", 501), ("more", 502)):
        pytester.mkdir(folder).joinpath(f"{folder}.yaml").write_text(f"rules: [{{fault: {{status: {status}}}}}]")
    pytester.path.joinpath("more", "calm.yaml").write_text("rules: [{fault: {status: 503}}]")
    tests = """
    @pytest.mark.cnx_scenario("stories")
    def test_first(cnx): assert create(cnx)[0] == 501

    @pytest.mark.cnx_scenario("more.yaml")
    def test_second(cnx): assert create(cnx)[0] == 502

    @pytest.mark.cnx_scenario("calm")
    def test_before_the_gallery(cnx): assert create(cnx)[0] == 503

    @pytest.mark.cnx_scenario("insufficient-credits")
    def test_the_gallery_too(cnx): assert create(cnx)[0] == 403
    """
    run(tests).assert_outcomes(passed=4)


def test_a_folder_of_scenarios_that_does_not_exist_is_named(run: Run, pytester: pytest.Pytester) -> None:
    ini(pytester, "cnx_scenario_dirs = storis")
    result = run("@pytest.mark.cnx_scenario('mine')\ndef test_it(cnx): pass\n\n\ndef test_other(cnx): pass")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["cnx_scenario_dirs: */storis is not a folder"])


def test_several_scenarios_run_the_test_once_under_each(run: Run, pytester: pytest.Pytester) -> None:
    tests = """
    DOWN = {"rules": [{"fault": {"status": 503}}]}

    @pytest.mark.cnx_scenario("calm", "insufficient-credits", DOWN, ["calm", "rate-limited"])
    def test_it(cnx): assert create(cnx)[0] in (201, 403, 503)

    @pytest.mark.cnx_scenario("calm", "rate-limited")
    class TestAll:
        def test_each(self, cnx): assert create(cnx)[0] == 201

        def test_without_a_sandbox(self): pass
    """
    result = run(tests, "-v")
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines(
        [f"*::test_it?{name}? PASSED*" for name in ("calm", "insufficient-credits", "inline", "calm+rate-limited")]
    )


def test_a_failure_has_one_line_that_shows_it_again(run: Run) -> None:
    tests = """
    @pytest.mark.parametrize("n", ["a b"])
    def test_it(cnx, n): assert create(cnx)[0] == 500
    """
    result = run(tests, "--cnx-seed=9", "--cnx-scenario=calm")
    result.stdout.fnmatch_lines(["again: pytest 'test_it.py::test_it[[]a b]' --cnx-seed 9 --cnx-scenario calm"])


def test_a_project_may_run_the_server_its_own_way(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest
        from cnx_mock import Settings

        @pytest.fixture(scope="session")
        def cnx_settings():
            return Settings(port=0, surface="documented")
        """
    )
    run("def test_it(cnx): assert call(cnx, 'GET', '/v1/plans')[0] == 404").assert_outcomes(passed=1)


def test_a_server_that_runs_already_can_be_used(run: Run, server: MockServer) -> None:
    tests = f"""
    def test_it(cnx):
        assert cnx.url == "{server.url}"
        cnx.inject("instances.create", status=503)
        assert create(cnx)[0] == 503
    """
    result = run(tests, f"--cnx-url={server.url}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"cnx-mock: seed 0, {server.url}"])


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://127.0.0.1:9", "--cnx-url: no cnx-mock answers at http://127.0.0.1:9: *refused"),
        ("127.0.0.1:4269", "--cnx-url: '127.0.0.1:4269' is not a URL of a cnx-mock: write http://127.0.0.1:4269"),
    ],
)
def test_a_server_that_is_not_there_is_named(run: Run, url: str, complaint: str) -> None:
    result = run("def test_it(cnx): pass", f"--cnx-url={url}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([complaint])


def test_a_server_that_cannot_start_names_the_real_error(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import socket
        import pytest
        from cnx_mock import Settings

        @pytest.fixture(scope="session")
        def cnx_settings():
            with socket.create_server(("127.0.0.1", 0)) as taken:
                yield Settings(port=taken.getsockname()[1])
        """
    )
    result = run("def test_it(cnx): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["the server cannot start: *in use*"])
