"""Many cases in one test: each of them runs, has its own fixtures, and is named if it fails."""

from pathlib import Path

import pytest

from cnx_mock import Sandbox
from tests.cases import cases
from tests.conftest import Client

SEEN: list[str] = []


@cases("name", ["a", "b"])
def test_each_case_has_a_sandbox_and_a_folder_of_its_own(
    api: Client, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert api.get("/v1/instances").json["pagination"]["total"] == 0
    assert api.create(name=name)["name"] == name
    assert [each.method for each in sandbox.requests] == ["GET", "POST"]
    assert not [*tmp_path.iterdir()]
    (tmp_path / name).touch()
    monkeypatch.setattr(f"{__name__}.SEEN", [*SEEN, name])
    assert [name] == SEEN


def test_every_case_runs_and_those_that_fail_are_named() -> None:
    seen = []

    @cases("number, word", [(1, "one"), pytest.param(2, "two", id="second"), (3, "three"), [10**5000, "large"]])
    def test(number: int, word: str) -> None:
        seen.append(word)
        if number == 3:
            pytest.fail("this one too")
        assert number == 1

    with pytest.raises(ExceptionGroup, match="3 of 4 cases") as failed:
        test()
    assert seen == ["one", "two", "three", "large"]
    assert [error.__notes__ for error in failed.value.exceptions] == [
        ["in the case second"],
        ["in the case 3-'three'"],
        ["in the case int-'large'"],
    ]
    assert "this one too" in str(failed.value.exceptions[1])


def test_cases_of_cases_are_all_pairs() -> None:
    seen = []

    @cases("one", "ab", ids=["first", "second"])
    @cases("two", [1, 2])
    def test(one: str, two: int) -> None:
        seen.append(f"{one}{two}")
        assert f"{one}{two}" != "b2"

    with pytest.raises(ExceptionGroup, match="1 of 2 cases") as failed:
        test()
    assert seen == ["a1", "a2", "b1", "b2"]
    assert failed.value.exceptions[0].__notes__ == ["in the case second"]


def test_no_cases_at_all_are_a_failure() -> None:
    @cases("number", [])
    def test(number: int) -> None: ...

    with pytest.raises(AssertionError, match="test has no cases"):
        test()
