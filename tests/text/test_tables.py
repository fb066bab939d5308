"""Tables in Markdown."""

from cnx_mock.text.tables import markdown_table


def test_the_first_row_is_the_head() -> None:
    assert markdown_table([("a", "b"), ("1", "2")]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def test_an_empty_cell_is_one_space_wide() -> None:
    assert markdown_table([("code", ""), ("", "x")]) == "| code | |\n|---|---|\n| | x |"


def test_a_head_alone_is_a_table() -> None:
    assert markdown_table(iter([("a",)])) == "| a |\n|---|"
