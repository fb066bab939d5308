"""Indexed tables: what the index finds is what a look at every record finds, whatever happened before."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnx_mock.services.compute.instance_body import InstanceCreate
from cnx_mock.services.compute.instances import provision
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.clock import SECOND, Clock
from cnx_mock.world.lifecycle import ProvisioningRule
from cnx_mock.world.places import PlaceSet
from cnx_mock.world.records import InstanceRecord
from cnx_mock.world.sandbox import SandboxOptions, SandboxState
from tests.cases import cases

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
TAGS = ("web", "db", "batch", "unused")
STATUSES = ("provisioning", "running", "stopped")
START = 1_700_000_000 * SECOND


# ---- sets of places

places = st.sets(st.integers(0, 9_000), max_size=60)


@given(places, places, st.integers(0, 70), st.integers(0, 20))
def test_a_set_of_places_is_a_set_in_order(one, two, start, limit):
    left, right = PlaceSet(one), PlaceSet(two)

    assert (list(left), len(left)) == (sorted(one), len(one))
    assert (left & right).page(0, 100) == sorted(one & two)
    assert (left | right).page(0, 200) == sorted(one | two)
    assert len(left & right) == len(one & two)
    assert left.page(start, limit) == sorted(one)[start : start + limit]
    for place in two:
        left.discard(place)
    assert (list(left), len(left)) == (sorted(one - two), len(one - two))


@given(st.integers(0, 10_000))
def test_all_places_below_an_end_are_a_set_too(end):
    whole = PlaceSet.below(end)

    assert len(whole) == end
    assert whole.page(max(0, end - 3), 10) == list(range(max(0, end - 3), end))
    assert end not in whole


# ---- indexed tables


def world() -> SandboxState:
    options = SandboxOptions(start=START, frozen=True)
    return SandboxState("test", 7, Catalogue(), options)


def scanned(sandbox, region, tags, any_tag, status):
    enough = any if any_tag else all
    return [
        each
        for each in sandbox.instances
        if (region is None or each.region == region)
        and (not tags or enough(tag in each.tags for tag in tags))
        and (status is None or each.status(sandbox.now) == status)
    ]


def found(sandbox, region, tags, any_tag, status):
    keys = [] if region is None else [("region", region)]
    wanted = [("tags", tag) for tag in tags]
    everywhere = (keys, wanted) if any_tag else (keys + wanted, [])
    return sandbox.instances.matching(sandbox.now, *everywhere, status)


def must_agree(sandbox, chance):
    tags = chance.sample(TAGS, chance.randrange(3))
    asked = (chance.choice([None, *REGIONS, "nowhere"]), tags, chance.random() < 0.5, chance.choice([None, *STATUSES]))
    expected, selection = scanned(sandbox, *asked), found(sandbox, *asked)
    start, limit = chance.randrange(len(expected) + 3), chance.randrange(1, 8)

    assert len(selection) == len(expected), asked
    assert selection.page(start, limit) == expected[start : start + limit], asked
    assert [each.id for each in expected if selection.get(each.id) is not None] == [each.id for each in expected]


def create(sandbox, chance):
    kinds = [ProvisioningRule(None), ProvisioningRule(None, polls=2), ProvisioningRule((0, 0)), None, None, None]
    sandbox.next_provisioning = chance.choice(kinds)
    tags = chance.sample(TAGS[:3], chance.randrange(4))
    body = {"name": "n", "plan": "pro", "region": chance.choice(REGIONS), "image": "debian-12", "tags": tags}
    provision(sandbox, InstanceCreate.model_construct(**body), sandbox.now)


def delete(sandbox, chance, instance):
    sandbox.removed(sandbox.instances, instance, sandbox.now)


def force(sandbox, chance, instance):
    instance.changing(sandbox.now)
    if not instance.lifecycle.ready(sandbox.now):
        instance.lifecycle.ends = sandbox.now
    instance.forced = (chance.choice(STATUSES[1:]), sandbox.now)


def poll(sandbox, chance, instance):
    sandbox.count_polls(sandbox.polled(sandbox.instances))


def advance(sandbox, chance, instance):
    sandbox.clock.advance(chance.choice([0, 1, 7, 31, 90]) * SECOND)


def start_again(sandbox, chance, instance):
    sandbox.clock = Clock(START + chance.randrange(100) * SECOND, frozen=True)


@cases("seed", range(8))
def test_an_index_finds_what_a_scan_finds_after_any_sequence_of_changes(seed):
    chance, sandbox = Random(seed), world()
    changes = [delete, delete, force, poll, advance, advance]
    if seed % 2:
        changes.append(start_again)

    for _ in range(400):
        instances = list(sandbox.instances)
        if not instances or chance.random() < 0.4:
            create(sandbox, chance)
        else:
            chance.choice(changes)(sandbox, chance, chance.choice(instances))
        if chance.random() < 0.6:
            must_agree(sandbox, chance)


@pytest.mark.parametrize("seed", range(4))
def test_the_past_has_an_index_of_its_own(seed):
    chance, sandbox = Random(seed), world()
    for _ in range(60):
        create(sandbox, chance)
        sandbox.clock.advance(SECOND)
        must_agree(sandbox, chance)
    delete(sandbox, chance, chance.choice(list(sandbox.instances)))

    for ago in (0, 5, 30, 59):
        for _ in range(10):
            must_agree(sandbox.as_of(sandbox.now - ago * SECOND), chance)
    must_agree(sandbox, chance)


@pytest.mark.parametrize("seed", range(4))
def test_pages_of_a_table_are_its_records_in_order_also_behind_removed_ones(seed):
    chance, sandbox = Random(seed), world()
    for _ in range(50):
        create(sandbox, chance)
    for instance in chance.sample(list(sandbox.instances), chance.choice([0, 1, 20, 50])):
        delete(sandbox, chance, instance)
        create(sandbox, chance)
    everything: list[InstanceRecord] = list(sandbox.instances)

    for start in range(0, 60, 7):
        assert sandbox.instances.page(start, 9) == everything[start : start + 9]
