"""Generated fleets: names from Faker, everything else from weighted, keyed draws. The same seed and the same release of
Faker give the same fleet."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from cnx_mock.errors import Problem
from cnx_mock.services.worlds.document import GenerateEntry, InstanceEntry
from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import digest, fraction
from cnx_mock.world.clock import SECOND


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


def generated(entry: GenerateEntry, seed: int, catalogue: Catalogue) -> Iterator[InstanceEntry]:
    """Return the instances of the fleet, the oldest first."""
    names = _names(seed)
    usual = {axis: dict.fromkeys(known, 1) for axis, known in _axes(catalogue).items()}
    usual["status"] = {"running": 1}
    weights: dict[str, Mapping[str, int]] = {axis: getattr(entry.spread, axis) or usual[axis] for axis in usual}
    ages = sorted(
        (int(fraction(seed, "fleet", number, "age") * entry.oldest) for number in range(entry.instances)), reverse=True
    )
    for number, age in enumerate(ages):
        chosen: dict[str, Any] = {axis: _drawn(weights[axis], seed, number, axis) for axis in weights if weights[axis]}
        tag = chosen.pop("tags", None)
        made = {"tags": [tag] if tag else [], "name": f"{next(names)}-{number + 1}", "age": age - age % SECOND}
        yield InstanceEntry.model_construct(**{**_blank(), **chosen, **made})


@cache
def _blank() -> dict[str, Any]:
    """Return the fields of an instance that have a default."""
    return {name: field.get_default() for name, field in InstanceEntry.model_fields.items() if not field.is_required()}


def _axes(catalogue: Catalogue) -> dict[str, list[str]]:
    """Return what can be spread, each with its possible values; an empty list allows any value."""
    return {
        "region": catalogue.regions.ids(),
        "plan": catalogue.plans.ids(),
        "image": catalogue.images.ids(),
        "status": ["running", "stopped", "provisioning"],
        "tags": [],
    }


def _drawn(weights: Mapping[str, int], seed: int, number: int, axis: str) -> str:
    """Return one of the words; its probability is its weight divided by the sum of all weights."""
    place = digest(seed, "fleet", number, axis) % sum(weights.values())
    for word, weight in weights.items():
        place -= weight
        if place < 0:
            return word
    raise AssertionError("the weights add up to their sum")


def _names(seed: int) -> Iterator[str]:
    """Return an endless iterator over words that an instance's name can begin with."""
    from faker import Faker  # lazy: Faker is slow to import, and only generated fleets need it

    fake = Faker("en_US")
    fake.seed_instance(seed)
    while True:
        yield re.sub(r"[^a-z0-9]+", "-", fake.domain_word().lower()).strip("-")[:40] or "node"
