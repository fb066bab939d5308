"""The text of a show: a mark for each attempt, and a line for each kind of attempt in a row."""

from typing import Any

from cnx_mock.demo.marks import mark, painted_marks
from cnx_mock.demo.transcript import step_lines


def attempt(
    method: str, path: str, status: int | None, *, body: str | None = None, fault: str = "", **more: Any
) -> Any:
    faults = [{"rule": "rule-1", "fault": fault}] if fault else []
    return {"method": method, "path": path, "status": status, "request_body": body, "faults": faults, **more}


INSTANCE = "/v1/instances/inst_0123456789abcdef"
OTHER = "/v1/instances/inst_fedcba9876543210"
BODY = '{"name": "web-1"}'


def test_each_attempt_has_a_mark_by_what_came_of_it() -> None:
    assert mark("POST", 201) == "+"
    assert mark("GET", 200) == "."
    assert mark("DELETE", 204) == "-"
    assert mark("GET", 429) == mark("POST", 503) == "x"
    assert mark("POST", None) == "!"
    assert painted_marks("+x", colour=False) == "+x"
    assert painted_marks("+x.", colour=True) == "\x1b[32m+\x1b[0m\x1b[31mx\x1b[0m."


def test_attempts_of_one_kind_in_a_row_share_a_line() -> None:
    lines = step_lines([attempt("GET", INSTANCE, 200), attempt("GET", OTHER, 200), attempt("DELETE", OTHER, 200)])
    assert lines == ["GET    /v1/instances/{id}  200  × 2", "DELETE /v1/instances/{id}  200"]


def test_a_line_says_what_was_made_and_which_fault_struck() -> None:
    lost = attempt("POST", "/v1/instances", None, body=BODY, fault="connection=reset", committed=True)
    refused = attempt("POST", "/v1/instances", 503, body=BODY, fault="status=503", committed=False)
    assert step_lines([lost, refused]) == [
        "POST   /v1/instances  cut  web-1  connection=reset, but it has happened",
        "POST   /v1/instances  503  web-1  status=503",
    ]


def test_a_body_of_any_form_is_no_obstacle() -> None:
    bodies = ["[1]", "{", "", "null", '{"name": 5}', '{"name": null}', None]
    lines = step_lines([attempt("POST", f"/v1/other/{n}", 404, body=body) for n, body in enumerate(bodies)])
    assert [line.partition("404")[2] for line in lines] == ["", "", "", "", "  5", "", ""]


def test_the_middle_of_a_very_long_story_is_left_out() -> None:
    lines = step_lines([attempt("GET", f"/v1/{number}", 404) for number in range(1000)])
    assert len(lines) == 41
    assert lines[20] == "… 960 more"
