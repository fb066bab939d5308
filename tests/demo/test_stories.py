"""The demo's stories and programs, and the errors in what people write for them."""

from pathlib import Path

import pytest

from cnx_mock.demo.lane import given_programs, own_programs
from cnx_mock.demo.stories import DEFAULT, STORIES, read_story
from cnx_mock.demo.words import next_line
from cnx_mock.errors import SourceError, UsageError
from cnx_mock.scenario.gallery import linted
from cnx_mock.services import operations
from cnx_mock.sweep.plan import select_faults
from tests.cases import cases

FOLDER = Path(__file__).parents[2] / "cnx_mock" / "demo" / "stories"


def test_every_story_has_a_file_and_every_file_a_story() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {*STORIES}
    assert DEFAULT in STORIES


@pytest.mark.parametrize("name", STORIES)
def test_a_story_says_what_it_shows_and_is_free_of_lint(name: str) -> None:
    story = read_story(name)
    assert story.description.endswith(".")
    assert story.lesson.endswith(".")
    assert select_faults(story.faults.split(","))
    assert linted(str(FOLDER / f"{name}.yaml"), operations())[1] is None


def test_a_story_can_be_a_scenario_of_the_gallery_or_a_file(tmp_path: Path) -> None:
    assert read_story("brownout").scenario.rules
    path = tmp_path / "mine.yaml"
    path.write_text("description: It is all slow.\nrules:\n  - fault: {latency: 10ms}\n")
    story = read_story(str(path))
    assert (story.name, story.description, story.lesson) == (str(path), "It is all slow.", "")
    assert next_line(story, [*own_programs()]).startswith("cnx-mock sweep -- ")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("lost-respnse", "lost-response"), ("thundering-429", "thundering-429s"), ("brown-out", "brownout")],
)
def test_an_unknown_story_is_one_line_with_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"no story is called '{name}', did you mean '{meant}'?") as caught:
        read_story(name)
    assert "\n" not in str(caught.value)
    assert all(each in str(caught.value) for each in STORIES)


def test_a_file_that_cannot_be_used_has_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("rules: 3\n")
    with pytest.raises(SourceError, match="mine.yaml:1"):
        read_story(str(path))


@cases(
    ("line", "words"),
    [
        ("./not-there --fast", "./not-there is not found"),
        ("not-a-program-of-anyone", "is not found"),
        ("python 'open quote", "no closing quotation"),
        ("", "needs a program"),
        ("   ", "needs a program"),
        (str(FOLDER), "is not found, or cannot be executed"),
    ],
)
def test_a_client_that_cannot_be_started_is_one_line(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"--client.*{words}") as caught:
        [*given_programs([line])]
    assert "\n" not in str(caught.value)


def test_programs_are_told_apart_by_number() -> None:
    assert [each.label for each in given_programs(["true"])] == ["your client"]
    assert [each.label for each in given_programs(["true", "false"])] == ["your client 1", "your client 2"]


def test_the_line_to_try_next_can_be_pasted_into_a_shell() -> None:
    [program] = given_programs(["sh -c 'exit 0'"])
    assert next_line(read_story("credits-run-out"), [program]) == "cnx-mock sweep --faults no-credits -- sh -c 'exit 0'"
