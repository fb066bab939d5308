"""Generated fleets: names from Faker, everything else from weighted, keyed draws. The same seed and the same release of
Faker give the same fleet."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate
from threading import Lock
from typing import NamedTuple

from cnx_mock.errors import Problem
from cnx_mock.services.worlds.document import GenerateEntry
from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import as_fraction, numbered
from cnx_mock.world.clock import SECOND

PORTION = 50
"""How many instances, or steps of as much work, are made in one go: less than a millisecond."""

_NAMES_PREPARED = 1000
"""How many names are taken from Faker. Instances beyond that draw one of them: they differ by their number anyway."""

_AGES_TOGETHER = 500
"""How many ages are sorted in one go, about."""


class FleetInstance(NamedTuple):
    """One instance of a fleet, as it is drawn."""

    name: str
    age: int
    region: str
    plan: str
    image: str
    status: str
    tag: str | None


def spread_problems(entry: GenerateEntry, catalogue: Catalogue) -> list[Problem]:
    """Return the problems of a fleet's spread: unknown words, and weights that are all zero."""
    found = []
    for axis, known in _axes(catalogue).items():
        weights: dict[str, int] = getattr(entry.spread, axis)
        for word in weights:
            if known and word not in known:
                found.append(Problem(("spread", axis, word), f"unknown {axis}{did_you_mean(word, known)}", at_key=True))
        if weights and not any(weights.values()):
            found.append(Problem(("spread", axis), "needs a weight above 0"))
    return found


def generated(entry: GenerateEntry, seed: int, catalogue: Catalogue) -> Iterator[FleetInstance | None]:
    """Return the instances of the fleet, the oldest first. None stands for a portion of work that is done before the
    first instance is there."""
    names = _names(seed)
    even = {axis: dict.fromkeys(known, 1) for axis, known in _axes(catalogue).items()}
    even["status"] = {"running": 1}
    region, plan, image, status, tag = (
        _drawn(getattr(entry.spread, axis) or even[axis], seed, axis)
        for axis in ("region", "plan", "image", "status", "tags")
    )
    number = 0
    for ages in _ages(entry, seed):
        if ages is None:
            yield None
            continue
        for age in ages:
            name = f"{names.of(number)}-{number + 1}"
            yield FleetInstance(
                name,
                age - age % SECOND,
                region(number),
                plan(number),
                image(number),
                status(number),
                tag(number) or None,
            )
            number += 1


def _axes(catalogue: Catalogue) -> dict[str, list[str]]:
    """Return what can be spread, each with its possible values; an empty list allows any value."""
    return {
        "region": catalogue.regions.ids(),
        "plan": catalogue.plans.ids(),
        "image": catalogue.images.ids(),
        "status": ["running", "stopped", "provisioning"],
        "tags": [],
    }


def _ages(entry: GenerateEntry, seed: int) -> Iterator[list[int] | None]:
    """Return the ages of the instances in microseconds, in lists, the greatest first. None stands for a portion of
    work.

    They are drawn into boxes, each for a part of the whole time. So they are sorted in many small steps.
    """
    draw = numbered((seed, "fleet"), ("age",))
    boxes = [array("q") for _ in range(entry.instances // _AGES_TOGETHER + 1)]
    for number in range(entry.instances):
        drawn = draw(number)
        boxes[drawn * len(boxes) >> 64].append(int(as_fraction(drawn) * entry.oldest))
        if number % PORTION == 0:
            yield None
    while boxes:
        yield sorted(boxes.pop(), reverse=True)


def _drawn(weights: Mapping[str, int], seed: int, axis: str) -> Callable[[int], str]:
    """Return a function that draws a word for an instance's number. The probability of a word is its weight divided by
    the sum of all weights. Without any word it is always an empty one."""
    words = [word for word, weight in weights.items() if weight]
    sums = list(accumulate(weights[word] for word in words))
    if len(words) < 2:
        only = words[0] if words else ""
        return lambda number: only
    draw, total = numbered((seed, "fleet"), (axis,)), sums[-1]
    return lambda number: words[bisect_right(sums, draw(number) % total)]


class _Names:
    """Words that the names of one seed's instances begin with."""

    def __init__(self, seed: int) -> None:
        from faker import Faker  # lazy: Faker is slow to import, and only generated fleets need it

        self._fake = Faker("en_US")
        self._fake.seed_instance(seed)
        self._prepared: list[str] = []
        self._draw = numbered((seed, "fleet"), ("name",))
        self._lock = Lock()  # servers of one process, each in a thread of its own, can have the same seed

    def of(self, number: int) -> str:
        """Return the word for an instance's number: one of Faker's first words, in their order as long as they last."""
        place = number if number < _NAMES_PREPARED else self._draw(number) % _NAMES_PREPARED
        if place >= len(self._prepared):
            with self._lock:
                while place >= len(self._prepared):
                    self._prepared.append(self._next())
        return self._prepared[place]

    def _next(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self._fake.domain_word().lower()).strip("-")[:40] or "node"


def prepare_names(seed: int) -> None:
    """Import Faker, and draw all names that a large fleet takes from it. It takes up to a second, and any thread may do
    it."""
    _names(seed).of(_NAMES_PREPARED - 1)


@lru_cache(maxsize=2)
def _names(seed: int) -> _Names:
    """Return the names of a seed. They are drawn once for all sandboxes of a server."""
    return _Names(seed)
