"""Determinism: with the same seed, clock and requests to each sandbox, the answers are the same to the byte, in
whatever order the requests of different sandboxes arrive."""

import random

import pytest

from cnx_mock import MockServer

STORY = {"world": {"clock": {"start": "2026-01-01T00:00:00Z", "frozen": True}, "rate_limit": "1000000/min"}}
PLANS = ["starter", "pro", "enterprise"]
CHANGING = {"date", "x-ratelimit-reset"}
"""The headers that depend on real time."""


def script(chance):
    """Return the steps of one client: creates, reads, deletes and mistakes. A number means the n-th thing it made."""
    steps = []
    for _ in range(40):
        kind = chance.choice(["create", "create", "list", "get", "delete", "wrong", "nowhere", "advance", "fault"])
        steps.append((kind, chance.randrange(1000)))
    return steps


class Player:
    """One sandbox and its client, which takes one step after the other."""

    def __init__(self, sandbox, api):
        self.sandbox, self.api, self.made, self.heard = sandbox, api, [], []

    def step(self, kind, number):
        if kind == "advance":
            self.sandbox.clock.advance(f"{number}s")
        elif kind == "fault":
            self.sandbox.inject("plans.*", probability=0.5, error="INTERNAL_ERROR")
        else:
            reply = getattr(self, kind)(number)
            self.heard.append((reply.status, {k: v for k, v in reply.headers.items() if k not in CHANGING}, reply.body))

    def create(self, number):
        body = {"name": f"n{number}", "plan": PLANS[number % 3], "region": "eu-west-1", "image": "debian-12"}
        reply = self.api.post("/v1/instances", body)
        self.made.append(reply.json["id"])
        return reply

    def list(self, number):
        return self.api.get(f"/v1/instances?limit={number % 5 + 1}")

    def get(self, number):
        return self.api.get(f"/v1/instances/{self.made[number % len(self.made)] if self.made else 'none'}")

    def delete(self, number):
        return self.api.delete(f"/v1/instances/{self.made[number % len(self.made)] if self.made else 'none'}")

    def wrong(self, number):
        return self.api.post("/v1/instances", {"name": number})

    def nowhere(self, number):
        return self.api.get(f"/v1/plans/{number}")


def one_after_the_other(scripts, chance):
    return [player for player, steps in enumerate(scripts) for _ in steps]


def in_turn(scripts, chance):
    return [player for _ in scripts[0] for player in range(len(scripts))]


def at_random(scripts, chance):
    order = one_after_the_other(scripts, chance)
    chance.shuffle(order)
    return order


def heard(client, scripts, order, seed=7):
    """Return the answers to every client, from a new server that gets their steps in this order."""
    with MockServer(STORY, seed=seed) as server:
        sandboxes = [server.sandbox() for _ in scripts]
        players = [Player(sandbox, client(server.url, sandbox.api_key)) for sandbox in sandboxes]
        waiting = [iter(steps) for steps in scripts]
        for player in order:
            players[player].step(*next(waiting[player]))
        return [player.heard for player in players]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_every_client_hears_the_same_in_every_interleaving(client, seed):
    chance = random.Random(seed)
    scripts = [script(chance) for _ in range(3)]

    first, second, third = (
        heard(client, scripts, order(scripts, chance)) for order in (one_after_the_other, in_turn, at_random)
    )

    assert first == second == third, f"seed {seed}"
    assert len({status for client_ in first for status, _, _ in client_}) > 3


def test_another_seed_is_another_world(client):
    scripts = [[("create", 1), ("create", 2)]]

    assert heard(client, scripts, [0, 0], seed=7) != heard(client, scripts, [0, 0], seed=8)


def one_create(server, client, key):
    return client(server.url, key).create()


def test_a_key_that_the_client_brings_has_the_same_world_on_every_server(client):
    key = "cnx_test_" + "ab" * 16
    made = []
    for others in (0, 3):
        with MockServer(STORY) as server:
            for _ in range(others):
                one_create(server, client, server.sandbox().api_key)
            made.append(one_create(server, client, key))

    assert made[0] == made[1]


def test_a_named_sandbox_has_the_same_key_and_the_same_world_on_every_server(client):
    made = []
    for others in (0, 3):
        with MockServer(STORY) as server:
            for _ in range(others):
                server.sandbox()
            sandbox = server.sandbox(name="tests/test_shop.py::test_buys")
            made.append((sandbox.api_key, one_create(server, client, sandbox.api_key)))

    assert made[0] == made[1]


def test_other_names_are_other_worlds(client):
    with MockServer(STORY) as server:
        sandboxes = [server.sandbox(name="a"), server.sandbox(name="b"), server.sandbox(), server.sandbox()]
        ids = {one_create(server, client, sandbox.api_key)["id"] for sandbox in sandboxes}

    assert len(ids) == 4


def test_a_sandbox_may_have_a_seed_of_its_own(client):
    with MockServer(STORY, seed=1) as one, MockServer(STORY, seed=2) as other:
        same = [one_create(s, client, s.sandbox(name="x", seed=5).api_key) for s in (one, other)]
        different = [one_create(s, client, s.sandbox(name="x").api_key) for s in (one, other)]

    assert same[0] == same[1]
    assert different[0]["id"] != different[1]["id"]


def test_a_sandbox_made_anew_under_its_name_begins_again(client):
    with MockServer(STORY) as server:
        first = one_create(server, client, server.sandbox(name="x").api_key)
        again = server.sandbox(name="x")
        assert client(server.url, again.api_key).get("/v1/instances").json["data"] == []
        assert one_create(server, client, again.api_key) == first


def test_a_reset_begins_again(client):
    with MockServer(STORY) as server:
        sandbox = server.sandbox()
        first = one_create(server, client, sandbox.api_key)
        sandbox.clock.advance("1h")
        sandbox.reset()

        assert one_create(server, client, sandbox.api_key) == first


def test_looking_at_the_control_plane_changes_nothing(client):
    made = []
    for looks in (0, 5):
        with MockServer(STORY) as server:
            sandbox = server.sandbox()
            for _ in range(looks):
                sandbox.call("GET", "/clock")
                sandbox.call("GET", "/requests")
            made.append(one_create(server, client, sandbox.api_key))

    assert made[0] == made[1]
