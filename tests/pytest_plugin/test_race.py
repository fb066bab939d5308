"""`cnx.race` in a test: what a project that has installed cnx-mock sees."""

from tests.pytest_plugin.conftest import Run

PAIRS = """
    def deploy(cloud):
        status, page = call(cloud, "GET", "/v1/instances")
        if not page["data"]:
            create(cloud)

    def deploy_one_of_two(cloud):
        create(cloud)
"""


def test_a_race_fails_a_test_with_the_sentence_and_none_of_our_frames(run: Run) -> None:
    result = run(f"""{PAIRS}
    def test_two_deploys(cnx):
        cnx.race(deploy, deploy)
    """)
    result.assert_outcomes(failed=1)
    output = result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            ">       cnx.race(deploy, deploy)",
            "E       cnx_mock.errors.RaceError: B's `GET /v1/instances` (B1) and `POST /v1/instances` (B2) came*",
            "E         A and B are both deploy",
            "E           A1  GET /v1/instances  200",
            'E         the same order again: race(deploy, deploy, schedule="A1 B1 B2 A2")',
            "again: pytest *test_it.py::test_two_deploys --cnx-seed 0",
            "FAILED test_it.py::test_two_deploys - *B's `GET*",
        ]
    )
    assert "raceable.py" not in output
    assert "asyncio" not in output


def test_a_race_is_under_the_scenario_of_the_test_and_its_rules_have_fired(run: Run) -> None:
    run("""
    @pytest.mark.cnx_scenario({"rules": [{"match": {"operation": "plans.list"}, "fault": {"status": 503}}]})
    def test_race(cnx):
        cnx.inject("regions.list", status=503)

        def looks(cloud):
            assert call(cloud, "GET", "/v1/plans")[0] == 503
            assert call(cloud, "GET", "/v1/regions")[0] == 503
            return create(cloud)

        results = cnx.race(looks, looks)
        assert [each.returned[0][0] for each in results] == [201, 201]
        assert len(cnx.requests) == 0
    """).assert_outcomes(passed=1)


def test_a_failure_inside_a_function_is_that_of_the_test(run: Run) -> None:
    result = run("""
    def wrong(cloud):
        assert create(cloud)[0] == 200

    def test_race(cnx):
        cnx.race(wrong, wrong)
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cnx.race(wrong, wrong)", "*assert create(cloud)[[]0] == 200", "*assert 201 == 200"])


def test_coroutine_functions_are_raced_in_an_async_test(run: Run) -> None:
    run(
        """
    import asyncio

    async def deploy(cloud):
        _, page = await asyncio.to_thread(call, cloud, "GET", "/v1/instances")
        if not page["data"]:
            await asyncio.to_thread(create, cloud)

    @pytest.mark.asyncio
    async def test_race(cnx):
        with pytest.raises(AssertionError, match="came between"):
            cnx.race(deploy, deploy)
    """,
        beside=("asyncio",),
    ).assert_outcomes(passed=1)
