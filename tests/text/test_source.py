"""YAML with positions: what is read, what is an error, and where a problem points."""

import pickle
from collections.abc import Iterator
from math import inf, isnan
from pathlib import Path
from time import thread_time
from typing import Any

import pytest
import yaml

from cnx_mock import errors
from cnx_mock.errors import Problem, SourceError, SourceProblem
from cnx_mock.text import builder, source
from cnx_mock.text import parser as yaml_parser
from cnx_mock.text.control_characters import visible_line
from cnx_mock.text.source import Source, read, read_file
from tests.cases import cases


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs with libyaml and with PyYAML's own parser: positions and messages are the same."""
    monkeypatch.setattr(yaml_parser, "_PARSER", getattr(yaml, request.param))


def refused(text: str) -> SourceError:
    with pytest.raises(SourceError) as error:
        read(text, "bad.yaml")
    return error.value


SCENARIO = """\
name: friday
rules:
  - id: slow
    fault: {latency: 2s}
  - fault:
      error: no
"""


def test_a_document_is_plain_data() -> None:
    document = read(SCENARIO, "friday.yaml")
    assert document.data == {
        "name": "friday",
        "rules": [{"id": "slow", "fault": {"latency": "2s"}}, {"fault": {"error": "no"}}],
    }
    assert document.problems == ()


@cases(
    ("plain", "value"),
    [
        # YAML 1.1's traps: text in YAML 1.2
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("1:30", "1:30"),
        ("0777", "0777"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        # what the core schema knows
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("0o17", 15),
        ("0xff", 255),
        ("0.5", 0.5),
        ("-.5", -0.5),
        ("1e999", inf),
        ("-.inf", -inf),
        # quoted or a block: always text
        ("'5'", "5"),
        ('"true"', "true"),
        ("|\n  5\n", "5\n"),
    ],
)
def test_scalars_follow_yaml_1_2(plain: str, value: object) -> None:
    data = read(f"key: {plain}", "f").data
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


def test_not_a_number_is_one() -> None:
    assert isnan(read(".NaN", "f").data)


@cases("key", ["on", "no", "1", "1.0", "2026-01-01", "null", "0x10", "true"])
def test_keys_are_always_text(key: str) -> None:
    assert read(f"{key}: 1", "f").data == {key: 1}


@cases("text", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff", "~"])
def test_a_document_without_a_value_is_none(text: str) -> None:
    document = read(text, "f")
    assert (document.data, document.problems) == (None, ())
    assert document.position(("anything",)) == document.position(())


@cases(
    ("path", "at_key", "position"),
    [
        ((), False, (1, 1)),
        (("name",), False, (1, 7)),
        (("name",), True, (1, 1)),
        (("rules", 0), False, (3, 5)),
        (("rules", 0), True, (3, 5)),  # an item has no key
        (("rules", 0, "fault", "latency"), False, (4, 22)),
        (("rules", 1, "fault", "error"), True, (6, 7)),
        (("rules", 1, "fault", "message", "deeper"), True, (6, 7)),  # the deepest value on the way
        (("rules", 9), False, (3, 3)),
    ],
)
def test_every_key_and_value_has_a_position(path: errors.Path, at_key: bool, position: tuple[int, int]) -> None:
    assert read(SCENARIO, "f").position(path, at_key) == position


def test_windows_line_ends_and_characters_beyond_ascii_do_not_shift_positions() -> None:
    document = read("\ufeff# ünï 😀\r\na: 1\r\n\r\n'é😀': x\r\n", "f")
    assert document.position(("a",)) == (2, 4)
    assert document.position(("é😀",)) == (4, 7)


def test_all_problems_come_in_one_error_in_the_order_of_the_file() -> None:
    document = read(SCENARIO + "name: twice\n", "friday.yaml")
    error = document.error(
        [
            Problem(("rules", 0, "fault"), "is no\nfault"),
            Problem(("rules", 0, "id"), "unknown key", at_key=True),
            Problem(("rules", 0, "fault"), "is no\nfault"),
        ]
    )
    assert str(error).splitlines() == [
        "friday.yaml:3:5: unknown key 'id'",
        "friday.yaml:4:12: 'fault' is no fault",
        "friday.yaml:7:1: duplicate key 'name' (first set on line 1)",
    ]


def test_the_first_of_two_equal_keys_counts() -> None:
    document = read("a: {x: 1}\nb: 2\n'a': {y: !t 3}\n", "f")
    assert document.data == {"a": {"x": 1}, "b": 2}
    assert [str(each) for each in document.problems] == [
        "f:3:1: duplicate key 'a' (first set on line 1)",
        "f:3:10: tags are not supported: '!t'",
    ]


@cases(
    ("text", "problem"),
    [
        ("a: !!python/object:os.system x", "f:1:4: tags are not supported: '!!python/object:os.system'"),
        ("a: !!str 5", "f:1:4: tags are not supported: '!!str'"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "f:3:3: merge keys (<<) are not supported; write the keys out"),
        ("[a, b]: 1", "f:1:1: a key must be text"),
        ("a: &x b\n*x : 1", "f:2:1: a key must be text"),
        (
            f"a: {'1' * 5000}",
            "f:1:4: a number of 5000 characters is too long; use at most 100, or put a string in quotes",
        ),
        ("{" + "k" * 90 + ": 1, " + "k" * 90 + ": 2}", f"f:1:97: duplicate key '{'k' * 59}…' (first set on line 1)"),
    ],
)
def test_what_cannot_be_used_is_found_without_losing_the_rest(text: str, problem: str) -> None:
    document = read(text, "f")
    assert [str(each) for each in document.problems] == [problem]
    assert isinstance(document.data, dict)


ESCAPE = r"this escape does not stand for a character; write \\ for a backslash"
COLON = "a colon is not allowed here; put a string with a colon in quotes, or check the indentation"


@cases(
    ("text", "expected"),
    [
        ("a: 1\n\tb: 2\n", "2:1: a tab is not allowed here; indent with spaces"),
        ("a:\n  - x\n\t- y\n", "3:1: a tab is not allowed here; indent with spaces"),
        ("a: |\n\tx\n", "2:1: a tab is not allowed here; indent with spaces"),
        ("a: [1, 2\nb: 3\n", "2:2: the list that begins on line 1 needs ',' or ']' here"),
        ("a: [1,\n\n  2", "3:4: the list that begins on line 1 needs ',' or ']' here"),
        ("a: {b: [1, 2}", "1:13: the list needs ',' or ']' here"),
        ("a: {b: 1\n\n", "1:9: the map needs ',' or '}' here"),
        ("a: [1,,2]", "1:7: a value is missing before ','"),
        ("a: [1,", "1:7: a value is missing at the end"),
        ("a: ]", "1:4: a value is missing before ']'"),
        ("[- a]", "1:2: a value cannot begin here; check the indentation, or put the text in quotes"),
        ('a: "open\n', "1:9: the quoted text is not closed"),
        ("a:\n  'open\n\n", "2:8: the quoted text is not closed"),
        ('a: "b\n---\nc"', "2:1: the quoted text that begins on line 1 is not closed"),
        (r'a: "b\q"', f"1:6: {ESCAPE}"),
        (r'a: "\xzz"', f"1:5: {ESCAPE}"),
        (r'a: "é\ud800"', f"1:6: {ESCAPE}"),
        (r'a: "\U00110000"', f"1:5: {ESCAPE}"),
        ('b: 1\na: "\\UFFFFFFFF"', f"2:5: {ESCAPE}"),
        ("a: b: c\n", f"1:5: {COLON}"),
        ("a: 1\n  b: 2\n", f"2:4: {COLON}"),
        ("a: 1\nb\nc: 2\n", "2:1: a colon is missing in this line: write 'key: value', or check the indentation"),
        ('- a\n"b"\n', "2:1: a colon is missing in this line: write 'key: value', or check the indentation"),
        (
            "a: - b",
            "1:4: a list cannot begin here; begin it on a line of its own, or put a string with a hyphen in quotes",
        ),
        ("a: 'b' c\n", "1:8: this does not fit into the map; check the indentation and the quotes"),
        (
            "- a: 1\n b: 2\n",
            "2:2: this does not fit into the list that begins on line 1; check the indentation and the quotes",
        ),
        ("'a' b", "1:5: this does not belong to what is before it; check the indentation and the quotes"),
        ("a: @b\n", "1:4: a value cannot begin with '@'; put it in quotes"),
        ("a: |x\n", "1:5: this cannot follow '|'; begin the text on the next line"),
        ("a: > x\n", "1:6: this cannot follow '>'; begin the text on the next line"),
        ("a: & b\n", "1:5: a name must follow '&'; put a string that begins with '&' in quotes"),
        ("a: *é\n", "1:5: a name must follow '*'; put a string that begins with '*' in quotes"),
        ("a: !<\n", "1:4: tags are not supported; put a string that begins with '!' in quotes"),
        ("a: !x!y b\n", "1:4: tags are not supported; put a string that begins with '!' in quotes"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here; a file can have only one"),
        ("a: *nowhere\n", "1:4: the alias 'nowhere' has no anchor before it"),
        ("a: &a [1, *a]\n", "1:11: the alias 'a' is inside its own anchor"),
        ("a: \x07\n", "1:4: the character U+0007 is not allowed here"),
        ("a: 1\r\nb: \ud800\n", "2:4: the character U+D800 is not allowed here"),
        ("a: 1\n\ufeffb: 2\n", "2:1: the character U+FEFF is not allowed here"),
        ("%YAML 1.1\n---\na: 1\n", "1:1: directives are not supported: a line cannot begin with %"),
        ("a: 1\r%TAG ! b\n", "2:1: directives are not supported: a line cannot begin with %"),
    ],
)
def test_what_is_not_yaml_is_an_error_at_its_place_in_our_words(text: str, expected: str) -> None:
    assert str(refused(text)) == f"bad.yaml:{expected}"


# ---- another version of the parser has other words, and other limits


def strict(error: type[Exception], limit: int = 80) -> Any:
    """A parser that reads everything ahead, and raises `error` at the bracket that is nested deeper than its limit."""

    def parse(text: str, Loader: type[Any]) -> Iterator[yaml.Event]:
        depth = 0
        for index, character in enumerate(text):
            depth += (character in "[{") - (character in "]}")
            if depth > limit and error is yaml.scanner.ScannerError:
                mark = yaml.Mark("", index, 0, index, None, 0)
                raise yaml.scanner.ScannerError("while counting", mark, "too many levels for me", mark)
            if depth > limit:
                raise error("too many levels for me")
        yield from PARSE(text, Loader=Loader)

    return parse


PARSE = yaml.parse


def test_our_limits_are_reported_before_those_of_a_stricter_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "parse", strict(yaml.scanner.ScannerError))
    assert str(refused("[" * 100)) == "bad.yaml:1:65: this is nested deeper than 64 levels"
    twice = f"{{a: 1, a: 2, b: [*c]}}{'[' * 100}"
    assert str(refused(twice)).splitlines() == [
        "bad.yaml:1:8: duplicate key 'a' (first set on line 1)",
        "bad.yaml:1:18: the alias 'c' has no anchor before it",
    ]


@cases(
    ("text", "expected"),
    [
        ("x" * (source.MAX_BYTES + 1), "1:1: is larger than 1048576 bytes"),
        ("a: \x07", "1:4: the character U+0007 is not allowed here"),
        ("%YAML 9.9\n---\na: 1", "1:1: directives are not supported: a line cannot begin with %"),
    ],
)
def test_what_no_parser_needs_to_see_is_never_shown_to_it(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise yaml.YAMLError("I do not like this text at all")

    monkeypatch.setattr(yaml, "parse", fail)
    assert str(refused(text)) == f"bad.yaml:{expected}"


def test_a_recursive_parser_cannot_leak_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "parse", strict(RecursionError))
    assert str(refused("[" * 100)) == "bad.yaml:1:1: this is nested too deeply"


@pytest.mark.parametrize("where", [(), ("while dreaming",)])
def test_an_error_that_no_parser_has_yet_still_begins_with_our_words(
    monkeypatch: pytest.MonkeyPatch, where: tuple[str, ...]
) -> None:
    def fail(*_: object, **__: object) -> None:
        mark = yaml.Mark("", 3, 0, 3, None, 0)
        raise yaml.scanner.ScannerError(None, None, "out of\nluck", mark) if where else yaml.YAMLError("out of\nluck")

    monkeypatch.setattr(yaml, "parse", fail)
    assert str(refused("a: 1")) == f"bad.yaml:1:{4 if where else 1}: this is not YAML: out of luck"


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{former}'] * 9)}]\n" for former, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.slow
@cases(
    ("bomb", "why"),
    [
        (LAUGHS, "more than 50000 values"),
        ("[" * 100_000, "nested deeper than 64"),
        ("{a: " * 65 + "}" * 65, "nested deeper than 64"),
        ("- " * 100_000, "nested deeper than 64"),
        ("- &a " + "[" * 60 + "]" * 60 + "\n- " + "[" * 10 + "*a" + "]" * 10, "nested deeper than 64"),
        ("x" * (source.MAX_BYTES + 1), "larger than 1048576 bytes"),
        ("é" * (source.MAX_BYTES // 2 + 1), "larger than 1048576 bytes"),
        ("".join(f"%TAG !{each}! x\n" for each in range(50_000)), "directives are not supported"),
    ],
)
def test_bombs_are_refused_quickly(bomb: str, why: str) -> None:
    start = thread_time()
    assert why in str(refused(bomb))
    assert thread_time() - start < 5  # seconds of computing: one that goes off takes minutes


def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "MAX_VALUES", 4)
    assert read("{a: 1, b: 2, c: 3}", "f").data == {"a": 1, "b": 2, "c": 3}
    assert str(refused("{a: 1, b: 2, c: 3, d: 4}")) == "bad.yaml:1:23: there are more than 4 values"


def test_sixty_four_levels_are_allowed() -> None:
    assert str(read("[" * 64 + "x" + "]" * 64, "f").data) == "[" * 64 + "'x'" + "]" * 64


def test_an_alias_is_a_copy_that_remembers_where_it_was_written() -> None:
    document = read("a: &a {x: [1]}\nb: *a\n", "f")
    document.data["a"]["x"].append(2)
    assert document.data["b"] == {"x": [1]}
    assert document.position(("b", "x", 0)) == (1, 12)
    assert document.position(("b",), at_key=True) == (2, 1)


BOOLEAN = "must be true or false"
NUMBER = "must be an integer"
DURATION = "must be a duration such as 2s"
INSTANT = "must be an instant with date, time and offset"


def trap(plain: str, message: str) -> str:
    """What the error for a value says beside the message."""
    return str(read(f"a: {plain}", "f").error([Problem(("a",), message)])).partition(message)[2]


@cases(
    ("plain", "message", "better"),
    [
        ("no", BOOLEAN, "false"),
        ("Off", BOOLEAN, "false"),
        ("yes", BOOLEAN, "true"),
        ("on", BOOLEAN, "true"),
        ("1:30", DURATION, "a duration as 1m30s, or a time with its date"),
        ("0777", NUMBER, "a number without leading zeros, or 0o17 for octal"),
        ("0899", NUMBER, "a number without leading zeros"),
        ("1_000", NUMBER, "a number without underscores"),
        ("2026-01-01", INSTANT, "an instant as 2026-01-01T00:00:00Z"),
    ],
)
def test_a_trap_of_older_yaml_gets_a_hint(plain: str, message: str, better: str) -> None:
    assert trap(plain, message) == f" ('{plain}' is text here; write {better})"


@cases("plain", ["yes", "no", "on", "off", "n"])
@cases("message", [NUMBER, DURATION, INSTANT, "must be an array", "must be one of: a, b"])
def test_nobody_is_told_to_write_a_boolean_that_is_refused_too(plain: str, message: str) -> None:
    assert trap(plain, message) == ""


@cases(("plain", "message"), [("0777", DURATION), ("1:30", NUMBER), ("2026-01-01", DURATION)])
def test_a_hint_is_for_what_is_allowed_there(plain: str, message: str) -> None:
    assert trap(plain, message) == ""


@cases("value", ["'no'", '"0777"', "|\n  no", "nobody", "5", "0", "0.5", "true", "[no]", ""])
@cases("message", [BOOLEAN, NUMBER])
def test_only_plain_scalars_are_traps(value: str, message: str) -> None:
    assert trap(value, message) == ""


def test_there_is_no_hint_for_what_is_not_there() -> None:
    assert str(read("a: no", "f").error([Problem(("a", "b"), BOOLEAN)])) == f"f:1:4: 'b' {BOOLEAN}"


def test_an_excerpt_shows_the_line_and_a_caret() -> None:
    error = read("a:\n  b: 1\n", "f").error([Problem(("a", "b"), "wrong")])
    assert error.excerpt() == "f:2:6: 'b' wrong\n      b: 1\n         ^"


def test_a_caret_stays_below_its_place_behind_wide_and_combining_characters() -> None:
    line = 'a: "障害🚨", e\u0301: [b'
    _, shown, caret = SourceError([SourceProblem("f", 1, line.index("[") + 1, "wrong")], [line]).excerpt().splitlines()
    assert shown == f"    {line}"
    assert caret == " " * (4 + len('a: "') + 6 + len('", e: ')) + "^"


def test_an_excerpt_keeps_tabs_so_that_the_caret_stays_below() -> None:
    assert refused("a: 1\n\tb: 1").excerpt().splitlines()[1:] == ["    \tb: 1", "    ^"]
    assert SourceError([SourceProblem("f", 1, 3, "wrong")], ["\tab"]).excerpt() == "f:1:3: wrong\n    \tab\n    \t ^"


@cases("column", [1, 51, 5_000, 10_000])
def test_an_excerpt_of_a_long_line_is_a_window_around_the_caret(column: int) -> None:
    text = "x" * (column - 1) + "!" + "x" * (10_000 - column)
    _, line, caret = SourceError([SourceProblem("f", 1, column, "wrong")], text.splitlines()).excerpt().splitlines()
    assert line[caret.index("^")] == "!"
    assert len(line) <= 106


def test_an_excerpt_never_sends_an_escape_sequence_to_the_terminal() -> None:
    assert "\x1b" not in refused("a: \x1b[2J").excerpt()


@cases(("text", "line"), [("a: 1\n\n", 2), ("", 1), ("a: 1", 9)])
def test_an_excerpt_of_nothing_is_the_problem_alone(text: str, line: int) -> None:
    assert SourceError([SourceProblem("f", line, 1, "wrong")], text.splitlines()).excerpt() == f"f:{line}:1: wrong"


def test_an_error_survives_pickling() -> None:
    error = refused("a: *b")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.problems, copy.lines, str(copy)) == (error.problems, error.lines, str(error))


@cases("encoding", ["utf-8-sig", "utf-16"])  # those of Windows: an editor's, and that of `>` in PowerShell
def test_a_file_is_read_and_named_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    (tmp_path / "world.yaml").write_bytes("plan: starter\r\n".encode(encoding))
    monkeypatch.chdir(tmp_path)
    document = read_file(Path("world.yaml"))
    assert isinstance(document, Source)
    assert (document.file, document.data) == ("world.yaml", {"plan": "starter"})


@cases(
    ("name", "content", "why"),
    [
        ("absent.yaml", None, "no such file"),
        (".", None, "is a folder, not a file"),
        ("\0", None, "cannot be read: the name has a null character"),
        ("latin.yaml", b"a: \xff", "is not UTF-8 (byte 0xff at position 3)"),
        ("large.yaml", b"#" * (source.MAX_BYTES + 1), "is larger than 1048576 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, name: str, content: bytes | None, why: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as error:
        read_file(path)
    place = ":1:1" if "larger" in why else ""  # its text is there
    assert error.value.excerpt() == str(error.value)
    assert str(error.value) == f"{visible_line(str(path))}{place}: {why}"


def test_a_device_is_refused() -> None:
    with pytest.raises(SourceError, match="it is not a regular file"):
        read_file(Path("/dev/zero"))
