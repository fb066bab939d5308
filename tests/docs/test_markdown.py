"""Tables and headings in Markdown."""

from tests.docs.markdown import slug, table


def test_the_first_row_is_the_head() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_an_empty_cell_is_one_space_wide() -> None:
    assert table(["code", ""], [["", "x"]]) == "| code | |\n|---|---|\n| | x |"


def test_a_head_alone_is_a_table() -> None:
    assert table(["a"], []) == "| a |\n|---|"


def test_a_cell_is_one_line_and_its_bars_stay_inside() -> None:
    assert table(["a"], [["one\n  two | three"]]).endswith("| one two \\| three |")
    assert table(["a"], [["`A|B` and `c`"]]).endswith("| <code>A&#124;B</code> and `c` |")


def test_an_anchor_is_what_a_forge_makes_of_a_heading() -> None:
    assert slug("`GET /_mock/rules/{id}`") == "get-_mockrulesid"
    assert slug("Get a green test in five minutes") == "get-a-green-test-in-five-minutes"
