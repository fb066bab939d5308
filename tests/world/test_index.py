"""Indexed tables: what the index finds is what a look at every record finds, whatever happened before."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnx_mock.services.compute.instance_body import InstanceCreate
from cnx_mock.services.compute.instances import provision
from cnx_mock.world import index, kinds
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.clock import SECOND, Clock
from cnx_mock.world.lifecycle import ProvisioningRule
from cnx_mock.world.places import PlaceSet
from cnx_mock.world.records import InstanceRecord, LoadBalancerRecord
from cnx_mock.world.sandbox import SandboxOptions, SandboxState
from tests.cases import cases, rounds

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
    rest = left.copy()
    rest.discard_all(right)
    for place in two:
        left.discard(place)
    assert (list(rest), len(rest)) == (list(left), len(left))
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
    page = [each.id for each in selection.page(start, limit)]
    assert page == [each.id for each in expected[start : start + limit]], asked
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


@cases("seed", range(rounds(4, 8)))
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


def put(sandbox, chance, balancers):
    """Make a load balancer, change or remove one, or let time pass."""
    known, now = list(balancers), sandbox.now
    if not known or chance.random() < 0.3:
        new_id, number = sandbox.next_id(kinds.LOAD_BALANCER)
        life = sandbox.begin(kinds.LOAD_BALANCER, new_id, now, then="active")
        regions = chance.sample(REGIONS, chance.randrange(1, 4))
        fields = {"name": "front", "settings": {}, "instance_ids": [], "regions": regions, "lifecycle": life}
        balancers.add(LoadBalancerRecord(id=new_id, number=number, created=now, updated=now, **fields))
    elif chance.random() < 0.2:
        sandbox.removed(balancers, chance.choice(known), now)
    elif chance.random() < 0.5:
        balancer = chance.choice(known)
        balancer.changing(now)
        balancer.regions = chance.sample(REGIONS, chance.randrange(1, 4))
    else:
        advance(sandbox, chance, None)


@cases("seed", range(rounds(4, 8)))
def test_an_index_follows_keys_that_change(seed):
    chance, sandbox = Random(seed), world()
    balancers = sandbox.load_balancers

    for _ in range(300):
        put(sandbox, chance, balancers)
        region, status = chance.choice(REGIONS), chance.choice([None, "provisioning", "active"])
        expected = [each for each in balancers if region in each.regions and status in (None, each.status(sandbox.now))]
        found = balancers.matching(sandbox.now, [("region", region)], status=status)
        assert (len(found), found.page(0, 500)) == (len(expected), expected)


def copied(sandbox, table, gone, instant):
    """The records that a table had at an instant, by a look at every one. `gone` are those removed since."""
    everything = sorted([*table, *gone], key=lambda each: each.place)
    copies = [each.as_of(instant) for each in everything]
    return [(each.id, each.status(instant), each.updated, each.forced) for each in copies if each is not None]


@cases("seed", range(rounds(4, 8)))
def test_the_past_has_what_a_look_at_every_record_finds(seed, monkeypatch):
    monkeypatch.setattr(index, "_BLOCK", 4)  # so that there are blocks in which nothing has moved
    chance, sandbox = Random(seed), world()
    removed: list[tuple[int, InstanceRecord]] = []

    for _ in range(150):
        instances = list(sandbox.instances)
        if not instances or chance.random() < 0.4:
            create(sandbox, chance)
        else:
            change, instance = chance.choice([delete, force, poll, advance, advance]), chance.choice(instances)
            change(sandbox, chance, instance)
            removed += [(sandbox.now, instance)] if change is delete else []
        if chance.random() < 0.4:
            instant = sandbox.now - chance.choice([0, 1, 5, 30, 59, 200]) * SECOND
            past = sandbox.as_of(instant)
            gone = [each for at, each in removed if at > instant]
            expected = copied(sandbox, sandbox.instances, gone, instant)
            shown = [(each.id, each.status(instant), each.updated, each.forced) for each in past.instances]
            assert shown == expected
            assert len(past.instances) == len(expected)
            assert past.instances.ids() == [each[0] for each in expected]
            everything = {each.id for each in (*sandbox.instances, *gone)}
            assert {each for each in everything if each in past.instances} == {each[0] for each in expected}
            must_agree(past, chance)
            must_agree(sandbox, chance)


def test_the_first_look_at_the_past_skips_what_has_not_moved(monkeypatch):
    chance, sandbox = Random(1), world()
    sandbox.provisioning["instance"] = ProvisioningRule((SECOND, SECOND))
    for _ in range(3_000):
        create(sandbox, chance)
    sandbox.clock.advance(600 * SECOND)
    moved = sandbox.instances.ids()[1_500]
    assert len(sandbox.instances.matching(sandbox.now, status="stopped")) == 0  # the index is made
    force(sandbox, chance, sandbox.instances.get(moved))
    looked, when = [], InstanceRecord.moved

    def noted(record: InstanceRecord, now: int) -> int:
        looked.append(record)
        return when(record, now)

    monkeypatch.setattr(InstanceRecord, "moved", noted)
    past = sandbox.as_of(sandbox.now - 5 * SECOND)
    assert past.instances.page(0, 1)
    assert 0 < len(looked) <= 1_030


@cases("seed", range(4))
def test_names_are_known_as_long_as_an_instance_has_them(seed):
    chance, sandbox = Random(seed), world()

    for number in range(200):
        instances = list(sandbox.instances)
        if instances and chance.random() < 0.5:
            delete(sandbox, chance, chance.choice(instances))
        else:
            body = InstanceCreate.model_construct(
                name=f"n{chance.randrange(9)}", plan="pro", region="us-east-1", image="debian-12", tags=[]
            )
            provision(sandbox, body, sandbox.now)
        if number % 3 == 0:
            names = {each.name for each in sandbox.instances}
            assert {f"n{each}" for each in range(9) if sandbox.instances.has_name(f"n{each}")} == names


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
