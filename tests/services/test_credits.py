"""Money: the balance, the cost of instances, and INSUFFICIENT_CREDITS; and quotas, which are checked before."""

import random
import re
from datetime import datetime, timedelta

import pytest

from tests.cases import cases, rounds

EXAMPLE = {"name": "a", "plan": "pro", "region": "us-east-1", "image": "debian-12"}
PATH = "/v1/instances"
CENTS = {"starter": 1, "pro": 4, "enterprise": 16}
HOUR = timedelta(hours=1)


@pytest.fixture
def frozen(sandbox):
    """The sandbox, with a clock that only `advance` moves."""
    sandbox.clock.freeze()
    return sandbox


def cents(text):
    """Return the cents of a text in the API's spelling of money: a minus sign before the dollar sign, two decimals."""
    spelt = re.fullmatch(r"(-?)\$(0|[1-9][0-9]*)\.([0-9]{2})", text)
    assert spelt, text
    sign, dollars, rest = spelt.groups()
    return int(sign + dollars + rest) if sign == "" else -int(dollars + rest)


@cases("balance", ["$0.00", "$0.04", "$2.45", "$5.00", "$1234567.89", "-$0.04", "-$12.00"])
def test_money_is_spelt_one_way(sandbox, balance):
    sandbox.account.balance = balance

    assert sandbox.account.balance == balance


def test_too_little_credit_is_the_documented_error(server, client):
    reply = client(server.url, server.sandbox("insufficient-credits").api_key).post(PATH, EXAMPLE)

    assert reply.is_documented_refusal, reply.body


@pytest.mark.parametrize(
    ("balance", "status"), [("$5.01", 201), ("$5.00", 201), ("$4.99", 403), ("$0.00", 403), ("-$1.00", 403)]
)
def test_exactly_five_dollars_are_enough(frozen, api, balance, status):
    frozen.account.balance = balance

    reply = api.post(PATH, EXAMPLE)

    assert reply.status == status
    if status == 403:
        assert reply.details == {"current_balance": balance, "required": "$5.00"}
        assert frozen.account.balance == balance


def test_reading_and_deleting_need_no_credit(frozen, api):
    made = api.create()
    frozen.account.balance = "-$100.00"

    assert api.get(PATH).status == api.get(f"{PATH}/{made['id']}").status == 200
    assert api.delete(f"{PATH}/{made['id']}").status == 200


def test_the_third_pro_instance_finds_the_account_below_the_minimum(frozen, api):
    frozen.account.balance = "$5.07"

    assert [api.post(PATH, EXAMPLE).status for _ in range(3)] == [201, 201, 403]
    assert frozen.account.balance == "$4.99"


@pytest.mark.parametrize("plan", CENTS)
def test_each_started_hour_costs_the_hourly_price(frozen, api, plan):
    api.create(plan=plan)
    balances = []
    for step in ("0s", "59m59s", "1s", "59m59s", "1s", "22h"):
        frozen.clock.advance(step)
        balances.append(cents(frozen.account.balance))

    assert [(10_000 - each) // CENTS[plan] for each in balances] == [1, 1, 2, 2, 3, 25]


def test_a_deleted_instance_has_paid_the_hour_that_it_was_in_and_pays_no_more(frozen, api):
    made = api.create()
    frozen.clock.advance("90m")
    api.delete(f"{PATH}/{made['id']}")
    assert frozen.account.balance == "$99.92"

    frozen.clock.advance("1000h")

    assert frozen.account.balance == "$99.92"


def test_create_and_delete_at_once_still_costs_one_hour(frozen, api):
    for _ in range(3):
        api.delete(f"{PATH}/{api.create()['id']}")

    assert frozen.account.balance == "$99.88"


def test_a_stopped_instance_goes_on_costing(frozen, api):
    made = api.create()
    frozen.instances.set_status(made["id"], "stopped")

    frozen.clock.advance("1h")

    assert frozen.account.balance == "$99.92"


def test_a_refused_create_costs_nothing(frozen, api):
    api.post(PATH, {})
    frozen.inject("instances.create", error="INTERNAL_ERROR", times=1)
    api.post(PATH, EXAMPLE)

    assert frozen.account.balance == "$100.00"


def test_a_create_whose_answer_was_lost_costs_what_it_costs(frozen, api):
    frozen.inject("instances.create", error="INTERNAL_ERROR", at="after", times=1)

    assert api.post(PATH, EXAMPLE).status == 500
    assert frozen.account.balance == "$99.96"


def test_a_balance_below_zero_keeps_falling(frozen, api):
    frozen.account.balance = "$5.00"
    api.create(plan="enterprise")

    frozen.clock.advance("100h")

    assert cents(frozen.account.balance) == 500 - 16 * 101


class Model:
    """Return the sum of all charges, counted hour by hour."""

    def __init__(self, balance):
        self.balance = balance
        self.meters = []

    def open(self, instance_id, price, now):
        self.meters.append([instance_id, price, now.replace(microsecond=0), None])

    def close(self, instance_id, now):
        for meter in self.meters:
            if meter[0] == instance_id:
                meter[3] = now

    def at(self, now):
        balance = self.balance
        for _, price, opened, closed in self.meters:
            due = opened
            while due <= min(now, closed or now):
                balance -= price
                due += HOUR
        return balance


@cases("seed", range(rounds(4, 8)))
def test_any_history_costs_what_a_count_hour_by_hour_says(server, client, seed):
    chance = random.Random(seed)
    start = f"2026-01-01T{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}Z"
    sandbox = server.sandbox({"world": {"clock": {"start": start, "frozen": True}, "rate_limit": "9999/min"}})
    api, model = client(server.url, sandbox.api_key), Model(10_000)
    alive: list[str] = []
    now = datetime.fromisoformat(start)
    for step in range(40):
        if chance.random() < 0.6 or not alive:
            plan = chance.choice(list(CENTS))
            alive.append(api.create(plan=plan)["id"])
            model.open(alive[-1], CENTS[plan], now)
        else:
            gone = alive.pop(chance.randrange(len(alive)))
            assert api.delete(f"{PATH}/{gone}").status == 200
            model.close(gone, now)
        forward = timedelta(milliseconds=chance.choice([0, 1, 999, 1000, 60_000, 3_599_999, 3_600_000, 5_000_000]))
        sandbox.clock.advance(f"{int(forward / timedelta(milliseconds=1))}ms")
        now += forward
        assert cents(sandbox.account.balance) == model.at(now), f"seed {seed}, step {step}"


def test_a_quota_is_counted_in_what_is_there(server, client):
    sandbox = server.sandbox({"world": {"quotas": {"instances": 2}}})
    api = client(server.url, sandbox.api_key)
    first = api.create()
    api.create()

    reply = api.post(PATH, EXAMPLE)

    assert (reply.status, reply.error["code"]) == (403, "QUOTA_EXCEEDED")
    assert reply.details == {"resource": "instance", "current": "2", "limit": "2"}
    api.delete(f"{PATH}/{first['id']}")
    assert api.post(PATH, EXAMPLE).status == 201


def test_there_is_no_quota_by_default(api):
    assert api.get("/v1/account").json["quotas"]["instances"] is None
