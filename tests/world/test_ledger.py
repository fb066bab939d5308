"""The ledger, against a model that iterates over every hour of every resource."""

import random
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnx_mock.world.clock import HOUR, NEVER, SECOND
from cnx_mock.world.ledger import Ledger
from cnx_mock.world.statement import Spending, Statement
from tests.cases import rounds

START = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z


@dataclass
class Life:
    """A resource in the model. Its hours start at `opened`; each costs the last price that was set before it."""

    name: str
    opened: int
    prices: list[tuple[int, int, int]]  # (since, number, cents)
    closed: int | None = None


@dataclass
class Model:
    """A ledger and its model."""

    ledger: Ledger = field(default_factory=Ledger)
    now: int = START
    credits: list[tuple[int, int, int]] = field(default_factory=list)  # (at, number, cents)
    lives: list[Life] = field(default_factory=list)
    entries: int = 0

    def number(self):
        self.entries += 1
        return self.entries

    def running(self):
        return [life for life in self.lives if life.closed is None]

    def credit(self, cents):
        self.ledger.credit(self.now, cents, "Credit")
        self.credits.append((self.now // SECOND * SECOND, self.number(), cents))

    def open(self, which, cents):
        name = f"r{which}"
        if name not in {life.name for life in self.running()}:
            self.ledger.open(name, f"{name} at {cents}", cents, self.now)
            opened = self.now // SECOND * SECOND
            self.lives.append(Life(name, opened, [(opened - 1, self.number(), cents)]))

    def close(self, which):
        if running := self.running():
            life = running[which % len(running)]
            self.ledger.close(life.name, self.now)
            life.closed = self.now

    def reprice(self, which, cents):
        if running := self.running():
            life = running[which % len(running)]
            self.ledger.reprice(life.name, f"{life.name} at {cents}", cents, self.now)
            life.prices.append((self.now, self.number(), cents))

    def look(self):
        """From here on the sums are maintained, in place of made."""
        assert Statement(self.ledger, self.now).balance == self.ledger.balance(self.now)

    def wait(self, by):
        self.now += by

    def events(self, until=None):
        """Return (at, number, cents, resource) of every event up to an instant, in order."""
        until = self.now if until is None else until
        found: list[tuple[int, int, int, str | None]] = [
            (at, number, cents, None) for at, number, cents in self.credits if at <= until
        ]
        for life in self.lives:
            at, end = life.opened, until if life.closed is None else min(until, life.closed)
            while at <= end:
                _, number, cents = max(price for price in life.prices if price[0] < at)
                found.append((at, number, -cents, life.name))
                at += HOUR
        return sorted(found, key=lambda event: event[:2])


def listed(rows):
    return [(e.at, e.number, e.cents, getattr(e.entry, "resource_id", None)) for e, _ in rows]


STEPS = st.one_of(
    st.tuples(st.just("credit"), st.integers(-500, 500)),
    st.tuples(st.just("open"), st.integers(0, 3), st.integers(0, 20)),
    st.tuples(st.just("close"), st.integers(0, 3)),
    st.tuples(st.just("look")),
    st.tuples(st.just("reprice"), st.integers(0, 3), st.integers(0, 20)),
    st.tuples(
        st.just("wait"),
        st.sampled_from([1, SECOND - 1, SECOND, HOUR - SECOND, HOUR - 1, HOUR, HOUR + 1, 30 * HOUR])
        | st.integers(0, 5 * HOUR),
    ),
)


def lived(steps):
    model = Model()
    model.wait(123_456)
    for step, *arguments in steps:
        getattr(model, step)(*arguments)
    return model


@pytest.mark.slow
@settings(max_examples=rounds(50, 150))
@given(st.lists(STEPS, max_size=25), st.integers(1, 50))
def test_pages_one_after_the_other_are_every_event(steps, limit):
    model = lived(steps)
    events = model.events()
    statement = Statement(model.ledger, model.now)
    assert statement.count == len(events)
    rows = [row for offset in range(0, len(events) + 1, limit) for row in statement.page(offset, limit)]
    assert listed(rows) == events
    assert [balance for _, balance in rows] == list(accumulate(cents for _, _, cents, _ in events))
    assert len({(event.number, event.hour) for event, _ in rows}) == len(rows)
    assert statement.page(len(events), limit) == []


@pytest.mark.slow
@settings(max_examples=rounds(50, 150))
@given(st.lists(STEPS, max_size=25), st.data())
def test_the_balance_is_credits_less_charges_at_any_instant(steps, data):
    model = lived(steps)
    assert model.ledger.balance(model.now) == sum(cents for _, _, cents, _ in model.events())
    later = model.now + data.draw(st.integers(0, 100 * HOUR), "later")
    assert model.ledger.balance(later) == Statement(model.ledger, later).balance
    at = data.draw(st.integers(START - HOUR, later), "at")
    events = model.events(at)
    statement = Statement(model.ledger, at)
    assert (statement.count, statement.balance) == (len(events), sum(cents for _, _, cents, _ in events))
    if events:
        assert statement.page(len(events) - 1, 1)[0][1] == statement.balance


@pytest.mark.slow
@settings(max_examples=rounds(50, 150))
@given(st.lists(STEPS, max_size=25), st.lists(st.integers(-2 * HOUR, 200 * HOUR), min_size=2, max_size=6))
def test_spending_is_the_charges_between_two_bounds(steps, bounds):
    model = lived(steps)
    bounds = sorted(START + bound for bound in bounds)
    expected: list[dict[str, list[int]]] = [defaultdict(lambda: [0, 0]) for _ in bounds[1:]]
    for at, _, cents, resource in model.events():
        place = bisect_right(bounds, at) - 1
        if resource and 0 <= place < len(expected):
            expected[place][resource][0] += 1
            expected[place][resource][1] -= cents
    statement = Statement(model.ledger, model.now)
    spans = statement.spending(bounds)
    assert [{s.resource_id: [s.hours, s.cents] for s in span.resources} for span in spans] == expected
    assert [span.cents for span in spans] == [sum(s.cents for s in span.resources) for span in spans]
    assert statement.spent(bounds[0], bounds[-1]) == sum(span.cents for span in spans)
    for most in range(4):
        few = statement.spending(bounds, most)
        assert [span.resources[:most] for span in few] == [span.resources[:most] for span in spans]
        assert [span.cents for span in few] == [span.cents for span in spans]
        for whole, part in zip(spans, few, strict=True):
            rest = whole.resources[most:]
            other = Spending("other", "Other resources", sum(s.hours for s in rest), sum(s.cents for s in rest))
            assert part.resources[most:] == [other] * bool(rest)


@pytest.mark.parametrize("seed", range(rounds(1, 3)))
def test_a_long_life_seen_through_pages_at_random(seed):
    chance = random.Random(seed)
    model = Model()
    model.credit(100_000)
    for _ in range(300):
        step = chance.choice(["open", "open", "close", "reprice", "credit", "wait", "wait"])
        size = {"wait": (1, 9 * HOUR), "credit": (-900, 900)}.get(step, (0, 40))
        arguments = [chance.randint(*size)] + [chance.randint(0, 16)] * (step in ("open", "reprice"))
        getattr(model, step)(*arguments)
    events, statement = model.events(), Statement(model.ledger, model.now)
    balances = list(accumulate(cents for _, _, cents, _ in events))
    assert statement.count == len(events) > 3000
    for _ in range(50):
        offset, limit = chance.randint(0, len(events)), chance.randint(1, 100)
        rows = statement.page(offset, limit)
        assert listed(rows) == events[offset : offset + limit]
        assert [balance for _, balance in rows] == balances[offset : offset + limit]


def test_millions_of_charges_are_not_walked():
    ledger = Ledger()
    ledger.credit(START, 10**9, "Credit")
    for number in range(500):
        ledger.open(f"inst_{number}", "Instance", 4, START + number * 7 * SECOND)
    began = perf_counter()
    statement = Statement(ledger, START + 730 * 24 * HOUR)
    [(first, balance), *rest] = statement.page(8_000_000, 100)
    took = perf_counter() - began
    assert statement.count == 500 * 730 * 24 + 2  # the first instance just started another hour; and the credit
    assert (len(rest), balance) == (99, 10**9 - 4 * 8_000_000)
    assert first.at > START
    assert took < 0.25  # 3 ms on an ordinary machine; walking takes seconds


def test_a_credit_and_charges_of_one_second_stand_in_order_of_creation():
    ledger = Ledger()
    ledger.credit(START + 400_000, 1000, "Opening balance")
    ledger.open("a", "A", 4, START + 500_000)
    ledger.credit(START + 600_000, 5, "Gift")
    ledger.open("b", "B", 1, START + 700_000)
    rows = Statement(ledger, START + HOUR).page(0, 10)
    assert [event.entry.description for event, _ in rows] == ["Opening balance", "A", "Gift", "B", "A", "B"]
    assert [balance for _, balance in rows] == [1000, 996, 1001, 1000, 996, 995]
    assert [event.at - START for event, _ in rows] == [0, 0, 0, 0, HOUR, HOUR]


def test_an_hour_is_paid_when_it_starts_and_stays_paid():
    ledger = Ledger()
    ledger.open("a", "A", 4, START)
    assert [-ledger.balance(START + by) for by in (0, HOUR - 1, HOUR, 2 * HOUR)] == [4, 4, 8, 12]
    ledger.close("a", START + HOUR)
    assert -ledger.balance(START + 50 * HOUR) == 8


def test_another_price_counts_from_the_next_hour_on():
    ledger = Ledger()
    ledger.open("lb", "1 region", 2, START)
    ledger.reprice("lb", "9 regions", 18, START + HOUR // 3)
    ledger.reprice("lb", "2 regions", 4, START + HOUR // 2)
    assert [-ledger.balance(START + by) for by in (HOUR // 2, HOUR - 1, HOUR, 2 * HOUR)] == [2, 2, 6, 10]
    ledger.reprice("lb", "3 regions", 6, START + 2 * HOUR)  # the hour that starts now is paid already
    assert [-ledger.balance(START + by * HOUR) for by in (2, 3)] == [10, 16]
    ledger.close("lb", START + 3 * HOUR)
    rows = Statement(ledger, START + 9 * HOUR).page(0, 10)
    assert [event.entry.description for event, _ in rows] == ["1 region", "2 regions", "2 regions", "3 regions"]


def test_what_was_closed_can_be_opened_again():
    ledger = Ledger()
    ledger.open("lb", "1 region", 2, START)
    ledger.close("lb", START + HOUR // 2)
    ledger.open("lb", "2 regions", 4, START + HOUR // 2)
    assert -ledger.balance(START + HOUR) == 6
    [spent] = Statement(ledger, START + HOUR).spending([START, START + HOUR])
    assert [(s.resource_id, s.description, s.hours, s.cents) for s in spent.resources] == [("lb", "2 regions", 2, 6)]


def test_a_resource_has_one_meter_at_a_time():
    ledger = Ledger()
    ledger.open("a", "A", 4, START)
    with pytest.raises(AssertionError, match="one meter at a time"):
        ledger.open("a", "A", 4, START)


def test_the_next_charge_is_when_the_balance_changes_next():
    ledger = Ledger()
    assert ledger.next_charge(START) == NEVER
    ledger.open("a", "A", 4, START + 90 * SECOND)
    ledger.open("b", "B", 4, START + 30 * SECOND)
    for now, due in ((60, 90), (90, 3630), (3629, 3630), (3630, 3690)):
        assert ledger.next_charge(START + now * SECOND) == START + due * SECOND
    before = START + 3630 * SECOND - 1
    assert ledger.balance(before) != ledger.balance(before + 1)
    ledger.close("a", START + HOUR)
    ledger.close("b", START + HOUR)
    assert ledger.next_charge(START + HOUR) == NEVER
