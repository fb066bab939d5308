"""States are compared with ids, addresses, times and numbers of polls left ignored."""

from typing import Any

from cnx_mock.sweep.compare import changed_state
from cnx_mock.sweep.state import count_resources, resources_left, state_difference, varying_values
from tests.cases import cases


def world(*instances: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"accounts": [{"instances": list(instances), **more}]}]


def instance(digit: str, name: str = "web", **more: Any) -> dict[str, Any]:
    return {"id": f"inst_{digit * 16}", "name": name, "status": "running", "created_at": f"200{digit}", **more}


def test_ids_and_times_are_ignored() -> None:
    assert count_resources(world(instance("1"))) == count_resources(world(instance("2")))


def test_what_follows_from_the_number_of_polls_is_ignored() -> None:
    assert count_resources(world(instance("1", status="provisioning"))) == count_resources(world(instance("1")))
    assert count_resources(world(instance("1", status="stopped"))) != count_resources(world(instance("1")))


def test_references_are_compared_by_name() -> None:
    one = world(instance("1"), snapshots=[{"id": "snap_" + "1" * 16, "instance": "inst_" + "1" * 16}])
    two = world(instance("2"), snapshots=[{"id": "snap_" + "2" * 16, "instance": "inst_" + "2" * 16}])
    other = world(instance("3", "db"), snapshots=[{"id": "snap_" + "2" * 16, "instance": "inst_" + "3" * 16}])
    assert count_resources(one) == count_resources(two)
    assert state_difference(count_resources(one), count_resources(other)).missing


def test_a_reference_to_another_resource_is_another_reference() -> None:
    def snapshot(digit: str, of: str) -> list[dict[str, Any]]:
        taken = {"id": "snap_1", "name": "s", "instance": f"inst_{of * 16}"}
        return world(instance(digit, "a"), instance(chr(ord(digit) + 1), "b"), snapshots=[taken])

    assert count_resources(snapshot("1", "1")) == count_resources(snapshot("3", "3"))
    assert count_resources(snapshot("1", "1")) != count_resources(snapshot("3", "4"))


def test_equal_resources_are_counted() -> None:
    found = state_difference(
        count_resources(world(instance("1"))), count_resources(world(instance("1"), instance("2")))
    )
    assert [each.name for each in found.extra] == ["web"]


def test_a_resource_of_the_same_name_is_one_that_has_changed() -> None:
    found = state_difference(count_resources(world(instance("1"))), count_resources(world(instance("1", plan="pro"))))
    assert (found.extra, found.missing, found.fields()) == ((), (), ["plan"])


def test_fields_that_differ_from_run_to_run_are_found_and_ignored() -> None:
    one, two = world(instance("1", "web-a")), world(instance("1", "web-b"))
    chance = varying_values(one, two)
    assert chance.fields() == {("instances", "name")}
    assert count_resources(one, chance) == count_resources(two, chance)
    assert list(changed_state(one, two)) == ["the name of the instances that are left"]


def test_another_number_of_resources_is_told() -> None:
    assert list(changed_state(world(instance("1")), world())) == ["1 instance was left, then 0"]


def test_what_is_left_behind_has_an_id_that_was_not_there_before() -> None:
    before = world(instance("1"), instance("2", "db"))
    after = world(instance("1", status="stopped"), instance("3"), firewalls=[{"id": "fw_1", "name": "edge"}])
    assert [(each.noun, each.id, each.name) for each in resources_left(before, after)] == [
        ("instance", "inst_3333333333333333", "web"),
        ("firewall", "fw_1", "edge"),
    ]
    assert resources_left(after, after) == []


# ---- what varies by chance


def firewall(name: str, *rules: str) -> dict[str, Any]:
    """A firewall whose rules have these descriptions."""
    return {"id": "fw_1", "name": name, "rules": [{"ports": "443", "description": each} for each in rules]}


def firewalls(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"accounts": [{"firewalls": list(found)}]}]


def test_a_random_word_does_not_hide_a_lost_update() -> None:
    one = firewalls(firewall("web", "by job-3f2a", "by job-9c1d"))
    two = firewalls(firewall("web", "by job-77aa", "by job-0b0c"))
    chance = varying_values(one, two)
    assert count_resources(one, chance) == count_resources(two, chance)
    again = firewalls(firewall("web", "by job-dead", "by job-beef"))
    lost = firewalls(firewall("web", "by job-dead"))
    other = firewalls(firewall("web", "by job-dead", "by hand"))
    assert count_resources(again, chance) == count_resources(one, chance)
    for each in (lost, other):
        assert state_difference(count_resources(one, chance), count_resources(each, chance)).fields() == ["rules"]


@cases(
    ("one", "two", "fits", "differs"),
    [
        ("web-a1", "web-b2", "web-zz9", "db-a1"),
        ("job 1 of 3f2a", "job 1 of 99aa", "job 1 of x", "job 2 of 3f2a"),
        ("3f2a", "9c1d", "anything", "two words"),
        ("a-b", "c", "whatever it is", None),
        ("0c8b8a3e-7d5f", "1f2e3d4c-5b6a", "aaaa-bbbb", "aaaa-bbbb-cccc"),
    ],
)
def test_what_varies_within_a_name_may_be_another_word_and_the_rest_may_not(
    one: str, two: str, fits: str, differs: str | None
) -> None:
    chance = varying_values(world(instance("1", one)), world(instance("1", two)))
    expected = count_resources(world(instance("1", one)), chance)
    assert count_resources(world(instance("1", fits)), chance) == expected
    if differs is not None:
        assert count_resources(world(instance("1", differs)), chance) != expected


def test_two_resources_that_were_made_in_another_order_do_not_vary() -> None:
    one, two = world(instance("1", "web"), instance("2", "db")), world(instance("1", "db"), instance("2", "web"))
    assert varying_values(one, two).fields() == set()


def test_a_number_that_varies_is_not_compared() -> None:
    one, two = world(instance("1", size=3)), world(instance("1", size=7))
    chance = varying_values(one, two)
    assert count_resources(world(instance("1", size=1)), chance) == count_resources(one, chance)
    assert count_resources(world(instance("1", "db", size=1)), chance) != count_resources(one, chance)


def test_kinds_of_which_the_runs_left_other_numbers_are_compared_as_they_are() -> None:
    one, two = world(instance("1", "web-a")), world(instance("1", "web-b"), instance("2", "web-c"))
    assert varying_values(one, two).fields() == set()
