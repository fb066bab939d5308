"""The public surface: sorted, complete, and light."""

import subprocess
import sys

import cnx_mock


def test_the_public_names_are_sorted_and_importable() -> None:
    assert cnx_mock.__all__ == sorted(cnx_mock.__all__)
    assert dir(cnx_mock) == cnx_mock.__all__
    namespace: dict[str, object] = {}
    exec("from cnx_mock import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(cnx_mock.__all__)
    for name in set(cnx_mock.__all__) - {"__version__"}:
        assert namespace[name].__name__ == name or name == "Entry"  # type: ignore[attr-defined]


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(cnx_mock, "MockSever")


def test_the_package_alone_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import cnx_mock, cnx_mock.cli\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "cnx_mock\n"
