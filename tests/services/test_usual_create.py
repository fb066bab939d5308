"""A usual create is read without pydantic: with the same result, and only if pydantic accepts it."""

import random
from typing import Any

from cnx_mock.services.compute.instance_body import InstanceCreate, usual_create
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.sandbox import SandboxOptions, SandboxState
from tests.conftest import INSTANCE

SEED = 20261129
FIELDS = ("name", "plan", "region", "image", "tags")
VALUES: dict[str, list[Any]] = {
    "name": [
        "a",
        "prod-api-01",
        "A.b",
        "-a",
        "a-",
        "",
        "a" * 63,
        "a" * 64,
        "a\n",
        "mock-stopped",
        "mock-none",
        "é",
        1,
        None,
    ],
    "plan": ["starter", "pro", "enterprise", "gold", ["pro"], None],
    "region": ["us-east-1", "eu-west-1", "mock-outage-1", "nowhere", {}, None],
    "image": ["ubuntu-22.04-lts", "debian-12", "windows-server-2022", "snap_0123456789abcdef", "none", 5],
    "tags": [
        [],
        ["web"],
        ["web", "web"],
        ["a", "b"],
        ["-"],
        ["a b"],
        ["x" * 63],
        ["x" * 64],
        ["a\n"],
        [1],
        "web",
        None,
    ],
    "more": ["x"],
}
USUAL = {**INSTANCE, "tags": ["web", "production"]}


def judged(data: dict, sandbox: SandboxState) -> InstanceCreate | None:
    try:
        return InstanceCreate.model_validate(data, context=sandbox)
    except ValueError:
        return None


def test_a_usual_create_is_what_the_model_makes_of_it():
    chance = random.Random(SEED)
    sandboxes = [
        SandboxState("key", 0, Catalogue(), SandboxOptions(readings=readings, magic=magic))
        for readings in ({}, {"instance-names": "unique"}, {"unknown-body-field": "ignore"})
        for magic in (True, False)
    ]
    usual = 0
    for _ in range(5_000):
        data = dict(USUAL)
        for name in chance.choices(list(VALUES), k=chance.randrange(4)):
            data[name] = chance.choice(VALUES[name])
        if chance.random() < 0.2:
            data.pop(chance.choice(FIELDS), None)
        sandbox = chance.choice(sandboxes)
        quick, model = usual_create(data, sandbox), judged(data, sandbox)
        if quick is not None:
            usual += 1
            assert model is not None, f"seed {SEED}: {data}"
            assert [getattr(quick, each) for each in FIELDS] == [getattr(model, each) for each in FIELDS], data
    assert usual > 500


def test_the_documented_example_is_a_usual_one():
    sandbox = SandboxState("key", 0, Catalogue(), SandboxOptions())

    assert usual_create(dict(INSTANCE), sandbox) is not None
    assert usual_create({**INSTANCE, "tags": ["x"] * 51}, sandbox) is None


def test_a_name_that_must_be_free_is_for_the_model_to_judge():
    sandbox = SandboxState("key", 0, Catalogue(), SandboxOptions(readings={"instance-names": "unique"}))

    assert usual_create(dict(INSTANCE), sandbox) is None
