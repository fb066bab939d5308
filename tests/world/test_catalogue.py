"""The catalogue's file is part of the package: what a start takes for granted is checked here."""

import re
from dataclasses import fields

from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.records import Record
from tests.cases import cases

ENTRIES = [each for table in (Catalogue().plans, Catalogue().regions, Catalogue().images) for each in table]


@cases("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_entry_has_an_id_for_urls_and_values_of_the_declared_types(entry: Record) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", entry.id)
    own = [each for each in fields(entry) if each.init]
    assert {each.name: type(getattr(entry, each.name)) for each in own} == {each.name: each.type for each in own}


def test_prices_and_sizes_are_above_zero() -> None:
    for plan in Catalogue().plans:
        assert min(plan.vcpus, plan.memory_mb, plan.disk_gb, plan.hourly_cents) >= 1
    assert all(image.min_disk_gb >= 1 for image in Catalogue().images)


def test_no_id_is_listed_twice() -> None:
    assert len({(type(entry), entry.id) for entry in ENTRIES}) == len(ENTRIES)
