"""What the clocks are read with: the C API of either age of Python, or, without one, Python's own functions."""

import sys
import time

import pytest

from cnx_mock.world.clock import _reader, ticks, wall_now


def never() -> int:
    raise AssertionError("the C API is asked first")


@pytest.mark.skipif(sys.platform == "win32", reason="the C library's functions are not found through Python there")
def test_a_function_that_answers_by_reference_is_read():
    read = _reader("time", "nothing", never)  # the C library's, of the same form as PyTime_Time, in seconds
    assert 0 <= wall_now() // 1_000_000 - read() <= 1


def test_a_function_that_answers_by_value_is_read():
    assert _reader("nothing", "Py_IsInitialized", never)() % 2**32 == 1


def test_a_python_with_neither_reads_its_own_clock():
    assert _reader("nothing", "nothing", lambda: 7)() == 7


@pytest.mark.parametrize("name", ["time", "monotonic", "perf_counter"])
def test_a_function_that_a_test_has_replaced_is_not_asked(monkeypatch, name):
    before = wall_now(), ticks()
    monkeypatch.setattr(time, name, never)
    monkeypatch.setattr(time, f"{name}_ns", never)
    assert (wall_now(), ticks()) > before


def test_the_stopwatch_never_goes_back():
    seen = [ticks() for _ in range(100)]
    assert seen == sorted(seen)
