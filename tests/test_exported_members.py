"""The public surface: sorted, complete, and light."""

import subprocess
import sys

import cnx_mock
from cnx_mock import errors
from tests.cases import cases

ELSEWHERE = {"Entry": "JournalEntry", "Rule": "RuleHandle"}
"""Public names of classes that are called otherwise where they are."""

OF_COMMANDS = {
    "BaselineError",
    "ClockError",
    "ProgramError",
    "SweepError",
    "SweepPlanError",
    "UsageError",
}
"""Errors that only commands and the control plane turn into a line, and Python code never sees."""


def test_the_public_names_are_sorted_and_importable() -> None:
    assert cnx_mock.__all__ == sorted(cnx_mock.__all__)
    assert dir(cnx_mock) == cnx_mock.__all__
    namespace: dict[str, object] = {}
    exec("from cnx_mock import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(cnx_mock.__all__)
    for name in set(cnx_mock.__all__) - {"__version__"}:
        assert namespace[name].__name__ == ELSEWHERE.get(name, name)  # type: ignore[attr-defined]


def test_every_error_that_python_code_can_meet_is_public() -> None:
    known = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.CnxMockError | Warning)
    }
    assert known >= OF_COMMANDS
    assert known - OF_COMMANDS == {name for name in cnx_mock.__all__ if name in known}


@cases("name", [name for name in cnx_mock.__all__ if name != "__version__"])
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(cnx_mock, name)
    assert vars(value).get("__doc__") if isinstance(value, type) else value.__doc__


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    assert not hasattr(cnx_mock, "MockSever")


def test_the_package_alone_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import cnx_mock, cnx_mock.cli\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "cnx_mock\n"
