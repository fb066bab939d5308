"""States are compared with ids, addresses, times and numbers of polls left ignored."""

from typing import Any

from cnx_mock.sweep.compare import changed_state
from cnx_mock.sweep.state import count_resources, resources_left, state_difference, varying_fields


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
    ignored = varying_fields(one, two)
    assert ignored == {("instances", "name")}
    assert count_resources(one, ignored) == count_resources(two, ignored)
    assert list(changed_state(one, two)) == ["the name of the instances that are left"]


def test_another_number_of_resources_is_told() -> None:
    assert list(changed_state(world(instance("1")), world())) == ["1 instances were left, then 0"]


def test_what_is_left_behind_has_an_id_that_was_not_there_before() -> None:
    before = world(instance("1"), instance("2", "db"))
    after = world(instance("1", status="stopped"), instance("3"), firewalls=[{"id": "fw_1", "name": "edge"}])
    assert [(each.noun, each.id, each.name) for each in resources_left(before, after)] == [
        ("instance", "inst_3333333333333333", "web"),
        ("firewall", "fw_1", "edge"),
    ]
    assert resources_left(after, after) == []
