"""What is measured without coverage.py is what coverage.py sees."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import coverage
import pytest

from tests import measuring
from tests.cases import cases

SAMPLE = '''"""A module with each kind of statement."""
from __future__ import annotations
import contextlib

LIMIT = 3
"""A text that documents a constant."""


class Thing:
    """A class."""

    size: int = 1
    """A field."""

    @property
    @contextlib.contextmanager
    def decorated(self):
        """A method."""
        yield self.size


def branches(word):
    if word == "if":
        return 1
    elif word in (
        "elif",
        "else if",
    ):
        found = 2
    else:
        found = 3
    if word == "more":
        found += 1
    return found


def loops(word):
    found = []
    for letter in word:
        if letter == "x":
            continue
        if letter == "!":
            break
        found.append(letter)
    else:
        found.append("end")
    while found and word == "while":
        found.pop()
    while True:
        if not word:
            break
        word = word[1:]
    for _ in found:
        pass


def fails(word):
    try:
        if word == "fails":
            raise ValueError
        with contextlib.suppress(KeyError):
            if word == "key":
                raise KeyError
    except (KeyError, TypeError):
        found = "no error of this kind"
    except ValueError as error:
        found = error
    else:
        found = "fine"
    finally:
        if word == "last":
            found = "last"
    return found


def shapes(word):
    match word.split():
        case []:
            return 0
        case ["one"] if word:
            return 1
        case [first, *_] if first == "many":
            found = first
    match word:
        case "":
            found = 0
        case _:
            found = 2
    with contextlib.nullcontext():
        if word == "with":
            return 4
    return found if word else [each for each in word if each]


async def waits(word):
    async for each in word:
        if each:
            yield each


def unreached(word):
    if word:
        return (
            1
        )


@contextlib.contextmanager
def both(word):
    with contextlib.nullcontext() as one, contextlib.nullcontext():
        if word == "both":
            yield one
        else:
            yield
'''


def call(names: dict[str, Any], *words: str) -> None:
    for word in words:
        names["branches"](word)
        names["loops"](word)
        names["fails"](word)
        with suppress(UnboundLocalError):
            names["shapes"](word)
        with names["both"](word):
            pass


def missing(data: Path, file: Path, measure: Callable[[coverage.Coverage], None]) -> Any:
    """The lines and branches that coverage.py reports as missing."""
    seen = coverage.Coverage(data_file=str(data), branch=True, include=[str(file)], config_file=False)
    measure(seen)
    seen.json_report(outfile=str(data.with_suffix(".json")))
    [report] = json.loads(data.with_suffix(".json").read_text())["files"].values()
    return report["missing_lines"], report["missing_branches"]


@pytest.mark.slow
@cases(
    "words",
    [
        (),
        ("",),
        ("if",),
        ("elif", "more"),
        ("x!", "while"),
        ("fails", "last"),
        ("key",),
        ("one", "many more", "with"),
        ("both", "", "if", "x", "fails", "last", "key", "one", "many", "with", "while", "more", "else if"),
    ],
)
def test_coverage_sees_the_same(words, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text(SAMPLE)

    def traced(seen: coverage.Coverage) -> None:
        names: dict[str, Any] = {"__name__": "sample"}
        with seen.collect():
            exec(compile(SAMPLE, str(file), "exec"), names)
            call(names, *words)

    def marked(seen: coverage.Coverage) -> None:
        code, arcs = measuring.marked(SAMPLE.encode(), str(file))
        reached = [0] * len(arcs)
        names: dict[str, Any] = {"__name__": "sample"}
        measuring.run(code, reached, names)
        call(names, *words)
        measuring.write([file], {str(file): bytes(reached)}, tmp_path / "marked")
        seen.load()

    expected = missing(tmp_path / "traced", file, traced)
    assert missing(tmp_path / "marked", file, marked) == expected
    assert expected[0]


def test_the_module_does_what_it_did() -> None:
    code, arcs = measuring.marked(SAMPLE.encode(), "sample.py")
    names: dict[str, Any] = {"__name__": "sample"}
    measuring.run(code, [0] * len(arcs), names)
    assert names["__doc__"] == "A module with each kind of statement."
    assert names["Thing"].__doc__ == "A class."
    assert names["branches"]("more") == 4


def test_what_processes_have_reached_is_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "FOUND", tmp_path)

    def leave(**modules: list[int]) -> None:
        """Do what a process does that loads these modules, reaches something and ends."""
        process = measuring.Process()
        for name, reached in modules.items():
            process.marks(name, len(reached))[:] = reached
        process.save()

    leave(one=[1, 0, 0], two=[0, 1])
    leave(two=[1, 0], three=[0])
    with (tmp_path / "marks").open("r+b") as file:  # a process is killed while it writes
        written = file.read()
        file.write(written[:-2])
    leave(one=[0, 0, 1], two=[0, 1])
    assert measuring.found() == {"one": bytes([1, 0, 1]), "two": bytes([1, 1]), "three": bytes([0])}
