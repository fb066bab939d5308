"""How long a run may take: longer for a client whose waits grow, and not for one that only goes on."""

from itertools import accumulate

import pytest

from cnx_mock.sweep.patience import MOST_EXTRA_SECONDS, extended_limit
from tests.cases import cases

LIMIT = 15.3
OWN = [0.1, 0.11, 0.13, 0.2]
"""The calls before the first failure."""


def survives(*waits: float) -> bool:
    """Whether a client that fails after each of its waits but the last one, is still running when it succeeds."""
    calls = [*OWN, *(OWN[-1] + passed for passed in accumulate(waits))]
    return all(call < extended_limit(LIMIT, calls[:number]) for number, call in enumerate(calls) if number)


@cases(
    "waits",
    [
        (1, 2, 4, 8, 16),
        (2, 4, 8, 16, 32),
        (0.5, 1, 2, 4, 8, 16, 32),
        (1.4, 1.1, 5.5, 4.8, 13.9),
        (0.3, 3.9, 2.2, 7.1, 0.4),
        (10, 20, 40),
        (5, 10, 15, 20, 25),
    ],
)
def test_a_client_that_waits_longer_each_time_is_waited_for(waits: tuple[float, ...]) -> None:
    assert survives(*waits)


@pytest.mark.parametrize("pace", [0.01, 1, 1.5, 3])
def test_a_client_that_goes_on_at_its_pace_is_not(pace: float) -> None:
    assert extended_limit(LIMIT, [pace * number for number in range(1000)]) == LIMIT


def test_a_silent_client_is_not_waited_for() -> None:
    assert extended_limit(LIMIT, []) == extended_limit(LIMIT, [1.0]) == LIMIT


def test_there_is_an_end() -> None:
    endless = list(accumulate(2.0**number for number in range(40)))
    assert extended_limit(LIMIT, endless) == LIMIT + MOST_EXTRA_SECONDS
