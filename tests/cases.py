"""Many cases in one test.

A test of pytest costs about 5 ms before its first line runs: it is collected by every worker, set up, torn down, and
reported three times. So thousands of cases that take less than that share a test: `cases` is written as
`pytest.mark.parametrize` is, and calls the test once for each case. What a failed test shows is every case that failed,
by its name, each with its own traceback; the other cases run all the same.

A case has what a test of its own would have of these fixtures: a sandbox (`sandbox`, `api`), a folder (`tmp_path`), a
`monkeypatch`, an empty `capsys`, and a copy of the `example`. All other fixtures are shared by the cases.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import pytest

_NEW = {
    "sandbox": ("new_sandbox",),
    "api": ("new_sandbox", "url", "client"),
    "tmp_path": ("tmp_path",),
    "monkeypatch": (),
    "capsys": ("capsys",),
    "example": ("example",),
}
"""What each case has of its own, and the fixtures that this takes."""


def cases(
    names: str | tuple[str, ...], values: Iterable[Any], ids: Iterable[str] | Callable[[Any], object] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test once for each of these values. As with `parametrize`, `names` are words with commas between them, and
    each value is a tuple or a `pytest.param` if there are several. With no values at all the test fails."""
    words = [word.strip() for word in names.split(",")] if isinstance(names, str) else [*names]
    given = [*values]
    rows: list[Any] = [(*each,) if isinstance(each, tuple | list) and len(words) > 1 else (each,) for each in given]
    rows = [each.values if isinstance(each, _PARAM) else row for each, row in zip(given, rows, strict=True)]
    labels = [*ids] if isinstance(ids, Iterable) else [None] * len(rows)

    def label(number: int) -> str:
        """A case's name."""
        shown = [_word(ids(each) if callable(ids) else each) for each in rows[number]]
        return getattr(given[number], "id", None) or labels[number] or "-".join(shown)

    def decorated(test: Callable[..., None]) -> Callable[..., None]:
        wanted = [name for name in signature(test).parameters if name not in words]
        taken = [*dict.fromkeys(each for name in wanted for each in _NEW.get(name, (name,)))]

        @wraps(test)
        def every_case(**fixtures: Any) -> None:
            assert rows, f"{test.__name__} has no cases"
            failed: list[Exception] = []
            for number, row in enumerate(rows):
                try:
                    with _own(wanted, fixtures, number) as own:
                        test(**own, **dict(zip(words, row, strict=True)))
                except (Exception, pytest.fail.Exception) as error:
                    failed.append(_named(error, label(number)))
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(rows)} cases", failed)

        every_case.__signature__ = Signature(  # type: ignore[attr-defined]
            [Parameter(name, Parameter.KEYWORD_ONLY) for name in taken]
        )
        return every_case

    return decorated


def rounds(short: int, long: int) -> int:
    """How often a test with chance tries something new: `short`, or `long` where LONG_TESTS is set, as by
    `make test-long`. The first tries are the same ones."""
    return long if os.environ.get("LONG_TESTS") else short


_PARAM = type(pytest.param())


def _word(value: object) -> str:
    """A value as a part of a case's name."""
    try:
        return ascii(value)[:60]
    except ValueError:  # a number with thousands of digits
        return type(value).__name__


@contextmanager
def _own(wanted: list[str], fixtures: dict[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """The fixtures of one case."""
    own = {name: fixtures[name] for name in wanted if name not in _NEW}
    with pytest.MonkeyPatch.context() as patch:
        if {"sandbox", "api"} & {*wanted}:
            sandbox = fixtures["new_sandbox"](number)
            own |= {"sandbox": sandbox} if "sandbox" in wanted else {}
            own |= {"api": fixtures["client"](fixtures["url"], sandbox.api_key)} if "api" in wanted else {}
        if "tmp_path" in wanted:
            own["tmp_path"] = fixtures["tmp_path"] / str(number)
            own["tmp_path"].mkdir()
        if "monkeypatch" in wanted:
            own["monkeypatch"] = patch
        if "capsys" in wanted:
            own["capsys"] = fixtures["capsys"]
            own["capsys"].readouterr()
        if "example" in wanted:
            own["example"] = deepcopy(fixtures["example"])
        yield own


def _named(error: BaseException, label: str) -> Exception:
    """The error of a case, with a note that names the case. An ExceptionGroup takes no BaseException, which
    `pytest.fail` raises."""
    kept = error if isinstance(error, Exception) else AssertionError(str(error)).with_traceback(error.__traceback__)
    kept.add_note(f"in the case {label}")
    return kept
