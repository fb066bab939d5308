"""Generated fleets: large ones are made quickly, and are what the plain definition of a fleet says."""

from typing import Any

import pytest
from faker import Faker

from cnx_mock import FixtureError
from cnx_mock.services.worlds import exported, read_fixture
from cnx_mock.services.worlds.document import GenerateEntry
from cnx_mock.services.worlds.generate import FleetInstance, generated
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import digest, fraction
from cnx_mock.world.clock import SECOND
from cnx_mock.world.sandbox import SandboxOptions, SandboxState
from cnx_mock.world.statement import Statement
from tests.cases import cases

START = 1_700_000_000 * SECOND + 400_000

FLEETS: list[dict[str, Any]] = [
    {"instances": 0},
    {"instances": 1},
    {"instances": 700, "oldest": "1s"},
    {"instances": 1300, "spread": {"status": {"running": 3, "stopped": 2, "provisioning": 1}, "plan": {"pro": 1}}},
    {"instances": 400, "spread": {"tags": {"web": 5, "db": 0, "batch": 1}, "region": {"eu-west-1": 2, "us-east-1": 1}}},
]


def drawn(fleet: dict[str, Any], seed: int) -> list[FleetInstance]:
    made = generated(GenerateEntry.model_validate(fleet), seed, Catalogue())
    return [each for each in made if each is not None]


def word(weights: dict[str, int], seed: int, number: int, axis: str) -> str:
    place = digest(seed, "fleet", number, axis) % sum(weights.values())
    return [each for each, weight in weights.items() for _ in range(weight)][place]


def world(fixture: dict[str, Any]) -> SandboxState:
    sandbox = SandboxState("test", 11, Catalogue(), SandboxOptions(start=START, frozen=True), opening=False)
    read_fixture(fixture).build(sandbox, 0, (), own_clock=True)
    return sandbox


@cases("fleet", FLEETS)
@cases("seed", [0, 3])
def test_a_fleet_is_drawn_as_it_is_defined(fleet: dict[str, Any], seed: int) -> None:
    entry, catalogue, spread = GenerateEntry.model_validate(fleet), Catalogue(), fleet.get("spread", {})
    known = {"region": catalogue.regions.ids(), "plan": catalogue.plans.ids(), "image": catalogue.images.ids()}
    weights = {axis: spread.get(axis) or dict.fromkeys(words, 1) for axis, words in known.items()}
    weights["status"] = spread.get("status") or {"running": 1}
    ages = sorted((int(fraction(seed, "fleet", n, "age") * entry.oldest) for n in range(entry.instances)), reverse=True)

    made = drawn(fleet, seed)

    assert [each.age for each in made] == [age - age % SECOND for age in ages]
    for number, each in enumerate(made):
        assert {axis: getattr(each, axis) for axis in weights} == {
            axis: word(weights[axis], seed, number, axis) for axis in weights
        }
        assert each.tag == (word(spread["tags"], seed, number, "tags") if "tags" in spread else None)


def test_names_are_from_faker_and_no_two_instances_share_one() -> None:
    fake = Faker("en_US")
    fake.seed_instance(3)
    words = [fake.domain_word() for _ in range(1000)]

    names = [each.name.rpartition("-") for each in drawn({"instances": 1500}, 3)]

    assert [word for word, _, _ in names[:1000]] == words
    assert {word for word, _, _ in names[1000:]} <= set(words)
    assert [int(number) for _, _, number in names] == list(range(1, 1501))


@pytest.mark.slow
@pytest.mark.parametrize("fleet", FLEETS[1:])
def test_a_fleet_becomes_what_the_same_instances_written_out_become(fleet: dict[str, Any]) -> None:
    written = [
        {
            "name": each.name,
            "plan": each.plan,
            "region": each.region,
            "image": each.image,
            "status": each.status,
            "tags": [each.tag] if each.tag else [],
            "age": f"{each.age // SECOND}s",
        }
        for each in drawn(fleet, 11)
    ]
    account = {"balance": "$7.00", "instances": [{"name": "first", "age": "200d"}], "credits": [{"amount": "$1.00"}]}

    one = world({"accounts": [account], "generate": fleet})
    two = world({"accounts": [{**account, "instances": [*account["instances"], *written]}]})

    assert exported(one) == exported(two)
    assert one.balance == two.balance == 7_00
    assert Statement(one.ledger, one.now).page(0, 50) == Statement(two.ledger, two.now).page(0, 50)


def test_a_fleet_has_at_most_a_million_instances() -> None:
    assert read_fixture({"generate": {"instances": 1_000_000}}).document.generate is not None
    with pytest.raises(FixtureError, match="1000000"):
        read_fixture({"generate": {"instances": 1_000_001}})
