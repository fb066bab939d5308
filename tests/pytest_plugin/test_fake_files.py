"""A test whose file system is fake (pyfakefs) has a sandbox all the same."""

import pytest

from tests.pytest_plugin.conftest import Run

TESTS = """
@pytest.mark.cnx_scenario("insufficient-credits")
def test_marked(fs, cnx):
    assert create(cnx)[0] == 403

def test_inside(cnx, fs):
    cnx.use("insufficient-credits")
    cnx.load("small-team")
    assert "web-1" in cnx.instances

def test_a_story_of_the_fake_file_system(fs, cnx):
    fs.create_file("story.yaml", contents="rules: [{fault: {status: 503}}]")
    cnx.use("story.yaml")
    assert create(cnx)[0] == 503

def test_intercepted(fs, cnx_intercept):
    import urllib.request
    request = urllib.request.Request(
        "https://api.cloudnexus.com/v1/plans", headers={"Authorization": f"Bearer {cnx_intercept.api_key}"}
    )
    assert urllib.request.urlopen(request, timeout=10).status == 200
"""


def test_scenarios_fixtures_and_certificates_are_real_files(run: Run) -> None:
    pytest.importorskip("pyfakefs")
    run(TESTS, beside=("fakefs",)).assert_outcomes(passed=4)


def test_the_suites_own_scenarios_are_real_files_too(run: Run, pytester: pytest.Pytester) -> None:
    pytest.importorskip("pyfakefs")
    pytester.makeini("[pytest]\ncnx_scenario_dirs = stories")
    pytester.mkdir("stories").joinpath("closed.yaml").write_text("rules: [{fault: {status: 503}}]")
    tests = "@pytest.mark.cnx_scenario('closed')\ndef test_it(fs, cnx): assert create(cnx)[0] == 503"
    run(tests, beside=("fakefs",)).assert_outcomes(passed=1)
