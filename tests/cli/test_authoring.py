"""`cnx-mock scenarios new`, `check`, `schema` and `explain`: a story from its first line to the last."""

import asyncio
import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from cnx_mock import MockServer
from cnx_mock.cli import explain
from cnx_mock.cli.errors import error_text
from cnx_mock.errors import CnxMockError, UsageError
from cnx_mock.scenario.json_schema import schema
from cnx_mock.scenario.template import template
from cnx_mock.services import operations
from cnx_mock.text.source import read, read_file
from cnx_mock.world.keys import EXAMPLE_KEY
from tests.cases import cases
from tests.cli.test_cli import COMMAND, printed, refused, run
from tests.conftest import INSTANCE, Client

CREATE = f"POST /v1/instances {json.dumps(INSTANCE)}"

STORY = """\
phases: [{name: calm, for: 30s}, {name: storm, for: 10s}, {name: after}]
rules:
  - id: twice
    match: {operation: instances.create}
    times: 2
    fault: {error: INTERNAL_ERROR}
  - id: noise
    when: {phase: storm}
    probability: 0.9
    fault: {latency: 200ms}
  - id: lost
    match: {operation: instances.create, header: {X-Team: a}}
    at: after
    fault: {connection: reset}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the story in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "story.yaml").write_text(STORY)
    return tmp_path


def explained(
    request: str,
    *headers: str,
    n: int = 1,
    age: str = "0s",
    every: str = "0s",
    seed: str = "0",
    story: str = "story.yaml",
) -> list[str]:
    """What the command prints, without the process around it."""
    return asyncio.run(explain.explained(story, explain.ImaginedRequest.parsed(request, headers), n, age, every, seed))


# ---- new


def test_new_writes_a_story_that_is_good_and_fits_the_schema(tmp_path: Path) -> None:
    assert printed("scenarios", "new", "friday", cwd=tmp_path) == (
        "wrote friday.yaml\n"
        "  cnx-mock scenarios check friday.yaml\n"
        "  cnx-mock scenarios explain friday.yaml --age 90s --every 1s -n 5 --request 'GET /v1/instances'\n"
        "  cnx-mock serve --scenario friday.yaml\n"
    )
    path = tmp_path / "friday.yaml"
    assert printed("scenarios", "check", str(path)) == f"{path}: good (2 rules)\n"
    jsonschema_rs.Draft202012Validator(schema(operations())).validate(read_file(path).data)


def test_the_guide_and_new_explain_the_new_story_by_a_line_that_shows_it_firing(tmp_path: Path) -> None:
    """The guide's own line is run, after the guide's own `new`."""
    guide = Path(__file__).parents[2] / "docs" / "guides" / "scenarios.md"
    lines = [line.removeprefix("$ ") for line in guide.read_text().splitlines() if line.startswith("$ ")]
    new, explain = (next(line for line in lines if f"scenarios {verb} friday" in line) for verb in ("new", "explain"))
    assert f"  {explain}\n" in printed(*shlex.split(new)[1:], cwd=tmp_path)
    shown = printed(*shlex.split(explain)[1:], cwd=tmp_path)
    assert "in phase slow" in shown
    assert re.search(r"slow-reads +fires latency=", shown)


def test_the_new_story_has_no_rule_that_explain_cannot_show_firing(tmp_path: Path) -> None:
    printed("scenarios", "new", "friday", cwd=tmp_path)
    create = printed("scenarios", "explain", "friday.yaml", "--request", CREATE, cwd=tmp_path)
    assert re.search(r"create-fails-twice +fires error=INTERNAL_ERROR", create)


@cases("name", ["true", "1e5", "0x10", "007", "null", "a.b-c_d"])
def test_new_takes_names_that_yaml_would_take_for_something_else(name: str) -> None:
    assert read(template(name), "new").data["name"] == name


def test_new_never_writes_over_a_file(tmp_path: Path) -> None:
    path = tmp_path / "friday.yaml"
    path.write_text("mine")
    said = "cnx-mock: friday.yaml exists; choose another name, or move it away\n"
    assert refused("scenarios", "new", "friday", cwd=tmp_path) == said
    assert refused("scenarios", "new", "friday.yaml", cwd=tmp_path) == said
    assert path.read_text() == "mine"


@cases("name", ["a/b", "../up", "", ".yaml", "x y", "a" * 101, "ü", "-x", "a\n"])
def test_new_refuses_what_is_no_name(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a scenario: begin with a letter"):
        template(name)


def test_new_never_leaves_its_folder(folder: Path) -> None:
    before = sorted(folder.parent.iterdir())
    assert refused("scenarios", "new", "../up").startswith("cnx-mock: '../up' cannot be the name of a scenario")
    assert sorted(folder.parent.iterdir()) == before


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder in which nobody can write")
def test_new_says_where_it_cannot_write() -> None:
    assert refused("scenarios", "new", "friday", cwd="/proc").startswith("cnx-mock: friday.yaml: ")


# ---- check


def test_check_shows_lint_with_a_caret_and_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "idle.yaml").write_text("rules:\n  - fault: {status: 500}\n    probability: 0\n")
    assert refused("scenarios", "check", "idle.yaml", cwd=tmp_path) == (
        "idle.yaml:3:18: 'probability' is 0: the rule can never fire\n        probability: 0\n                     ^\n"
    )


def test_check_reads_the_fixture_that_a_story_starts_from(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text("world: {fixture: nowhere.yaml}\n")
    said = refused("scenarios", "check", "story.yaml", cwd=tmp_path)
    assert said.startswith("story.yaml:1:18: 'fixture': nowhere.yaml: no such file\n")


def test_check_reads_json_and_says_that_a_folder_is_one(tmp_path: Path) -> None:
    (tmp_path / "story.json").write_text('{"name": "story", "rules": []}')
    assert printed("scenarios", "check", "story.json", cwd=tmp_path) == "story.json: good (0 rules)\n"
    assert refused("scenarios", "check", f"{tmp_path}/") == f"{tmp_path}: is a folder, not a file\n"
    assert refused("scenarios", "check", "./", cwd=tmp_path) == ".: is a folder, not a file\n"


def test_check_refuses_a_file_without_a_scenario(tmp_path: Path) -> None:
    for text in ("", "# nothing yet\n"):
        (tmp_path / "empty.yaml").write_text(text)
        said = refused("scenarios", "check", "empty.yaml", cwd=tmp_path)
        assert said.startswith("empty.yaml:1:1: is empty: this scenario does nothing")


# ---- schema


def test_schema_prints_what_an_editor_reads() -> None:
    assert json.loads(printed("scenarios", "schema")) == schema(operations())


# ---- explain


def test_explain_tells_rule_by_rule_what_would_become_of_the_next_requests(folder: Path) -> None:
    options = ["story.yaml", "--request", CREATE, "-n", "3", "--header", "X-Team: a"]
    assert printed("scenarios", "explain", *options).splitlines() == [
        "scenario story, seed 0",
        "#1 at 0s in phase calm: POST /v1/instances → 500 INTERNAL_ERROR",
        "     twice  fires error=INTERNAL_ERROR: times 1 of 2",
        "     noise  does not fire: phase calm, not storm",
        "     lost   does not fire: behind twice",
        "#2 at 0s in phase calm: POST /v1/instances → 500 INTERNAL_ERROR",
        "     twice  fires error=INTERNAL_ERROR: times 2 of 2",
        "     noise  does not fire: phase calm, not storm",
        "     lost   does not fire: behind twice",
        "#3 at 0s in phase calm: POST /v1/instances → no answer, committed",
        "     twice  does not fire: match 3, beyond times 2",
        "     noise  does not fire: phase calm, not storm",
        "     lost   fires connection=reset: match 3",
    ]


def test_explain_goes_through_the_story_by_age_and_every() -> None:
    lines = explained("GET /v1/plans", age="25s", every="10s", n=3)
    assert [line for line in lines if line.startswith("#")] == [
        "#1 at 25s in phase calm: GET /v1/plans → 200",
        "#2 at 35s in phase storm: GET /v1/plans → 200, after 200ms",
        "#3 at 45s in phase after: GET /v1/plans → 200",
    ]


def test_explain_draws_as_a_server_does_for_the_key_that_it_prints(folder: Path, client: type[Client]) -> None:
    story = {"rules": [{"id": "noise", "probability": 0.5, "fault": {"status": 503}}]}
    (folder / "story.yaml").write_text(json.dumps(story))
    lines = explained("GET /v1/plans", n=20, seed="7")
    foretold = [line.split(": ", 1)[1] for line in lines if line.startswith("     ")]
    with MockServer(scenario=story, seed=7) as server:
        api = client(server.url, EXAMPLE_KEY)
        statuses = [api.get("/v1/plans").status for _ in range(20)]
        journal = api.get("/_mock/requests").json["data"]
    assert foretold == [entry["decisions"][0]["reason"] for entry in journal]
    assert [200 if "≥" in reason else 503 for reason in foretold] == statuses


def test_explain_knows_real_limits_and_the_clock_on_which_they_open() -> None:
    at_once = explained("GET /v1/plans", n=6, story="rate-limited")
    assert at_once[-2] == "#6 at 0s: GET /v1/plans → 429 RATE_LIMITED"
    slowly = explained("GET /v1/plans", n=6, every="15s", story="rate-limited")
    assert slowly[-2] == "#6 at 1m15s: GET /v1/plans → 200"


@cases(
    ("request_text", "outcome", "reason"),
    [
        ("GET /v1/nowhere", "404 NOT_FOUND", "     twice  does not fire: operation is nothing, not instances.create"),
        ("PATCH /v1/instances", "405 METHOD_NOT_ALLOWED", "     noise  does not fire: phase calm, not storm"),
        ("GET /elsewhere", "404 NOT_FOUND", "     (no rule is evaluated for this path)"),
        ("PUT /v1/instances/x", "405 METHOD_NOT_ALLOWED", "     noise  does not fire: phase calm, not storm"),
        (
            "get\t/v1/instances?limit=x",
            "400 VALIDATION_ERROR (limit: must be a whole number from 1 to 100)",
            "     noise  does not fire: phase calm, not storm",
        ),
    ],
)
def test_explain_has_an_answer_for_every_request(request_text: str, outcome: str, reason: str) -> None:
    lines = explained(request_text)
    assert lines[1].endswith(f" → {outcome}")
    assert reason in lines


def test_explain_answers_a_body_that_is_no_json_as_the_server_does() -> None:
    assert explained("POST /v1/instances {bad", story="calm")[1].endswith(
        " → 400 BAD_REQUEST (reason: malformed JSON at line 1 column 2)"
    )
    assert explained("POST /v1/instances", story="calm")[1].endswith(" → 400 BAD_REQUEST (reason: the body is empty)")


def test_explain_takes_the_fault_header_and_answers_a_bad_one() -> None:
    good = explained("GET /v1/plans", "X-CNX-Mock-Fault: error=NOT_FOUND")
    assert good[2] == "     header  fires error=NOT_FOUND: match 1"
    bad = explained("GET /v1/plans", "X-CNX-Mock-Fault: eror=NOT_FOUND", age="31s")
    assert bad[1].endswith(" → 400 VALIDATION_ERROR (X-CNX-Mock-Fault: unknown key 'eror', did you mean 'error'?)")
    assert bad[3] == "     noise  does not fire: not asked: the request's own header is wrong"


@cases(
    ("request_text", "headers", "options", "said"),
    [
        ("hello", [], {}, "'hello' is not a request: write 'POST /v1/instances {…}'"),
        ("GET", [], {}, "'GET' is not a request: write 'POST /v1/instances {…}'"),
        (
            "GET instances",
            [],
            {},
            "'GET instances' is not a request (a path begins with /): write 'POST /v1/instances {…}'",
        ),
        ("", [], {}, "'' is not a request: write 'POST /v1/instances {…}'"),
        ("GET /v1/plans", ["nocolon"], {}, "'nocolon' is not a header: write 'Name: value'"),
        ("GET /v1/plans", [], {"age": "5"}, "needs a unit: write 5s or 5ms"),
        ("GET /v1/plans", [], {"every": "soon"}, "must be a duration such as 250ms, 2s or 1m30s, not 'soon'"),
        ("GET /v1/plans", [], {"every": "36525d", "n": 100}, "the time must be before the year 9999"),
        ("GET /v1/plans", [], {"seed": "x"}, "'seed' must be a whole number or the word random"),
    ],
)
def test_explain_says_what_it_cannot_read(
    request_text: str, headers: list[str], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(CnxMockError) as raised:
        explained(request_text, *headers, **options)
    assert error_text(raised.value) == f"cnx-mock: {said}"


def test_explain_of_a_bad_file_shows_what_is_wrong(folder: Path) -> None:
    (folder / "story.yaml").write_text("rules: 3\n")
    done = run(COMMAND, "scenarios", "explain", "story.yaml", "--request", "GET /v1/plans", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("story.yaml:1:8: 'rules' must be an array")
