"""Balance, transactions and reports, through the socket."""

import datetime as dt
from itertools import pairwise
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnx_mock.services.billing import zones
from cnx_mock.text.units import format_money, parse_instant
from cnx_mock.world.clock import HOUR, SECOND
from tests.cases import cases

ACCOUNT = {"balance": "$100.00", "rate_limit": "100000/min"}


@pytest.fixture
def at(server, client):
    """Return a sandbox with a frozen clock, and a client with its key."""

    def made(start):
        sandbox = server.sandbox(scenario={"world": {"clock": {"start": start, "frozen": True}, **ACCOUNT}})
        return sandbox, client(sandbox.url, sandbox.api_key)

    return made


@pytest.fixture
def busy(at):
    """A frozen sandbox with three instances that ran during New York's change to summer time; one is deleted."""
    sandbox, api = at("2026-03-07T20:10:30Z")
    sandbox.instances.add(name="web-1", plan="pro")
    sandbox.clock.advance("100m")
    gone = sandbox.instances.add(name="db-1", plan="enterprise")
    sandbox.account.balance = "$50.00"
    sandbox.clock.advance("20h")
    assert api.delete(f"/v1/instances/{gone['id']}").status == 200
    sandbox.instances.add(name="web-2")
    sandbox.clock.advance("31h7m")
    return api


def report(api, start, end, timezone="UTC", **more):
    query = "".join(f"&{name}={value}" for name, value in more.items())
    reply = api.get(f"/v1/billing/reports?start={start}&end={end}&timezone={quote(timezone)}{query}")
    assert reply.status == 200, reply.body
    return reply.json


def everything(api, limit=100):
    pages = api.get(f"/v1/billing/transactions?limit={limit}").json["pagination"]["total_pages"]
    return [
        item
        for page in range(1, pages + 1)
        for item in api.get(f"/v1/billing/transactions?page={page}&limit={limit}").json["data"]
    ]


# ---- balance and transactions


def test_the_balance_is_what_the_started_hours_have_left(at):
    sandbox, api = at("2026-01-01T00:00:00Z")
    sandbox.instances.add(plan="enterprise")
    sandbox.clock.advance("90m")
    assert api.get("/v1/billing/balance").json == {
        "balance": "$99.68",
        "balance_cents": 9968,
        "minimum_balance": "$5.00",
        "minimum_balance_cents": 500,
        "currency": "USD",
        "as_of": "2026-01-01T01:30:00Z",
    }


def test_a_balance_below_zero_keeps_the_documented_spelling(at):
    sandbox, api = at("2026-01-01T00:00:00Z")
    sandbox.account.balance = "$0.00"
    sandbox.instances.add(plan="pro")
    assert api.get("/v1/billing/balance").json["balance"] == "-$0.04"


def test_transactions_say_what_happened_to_the_money(at):
    sandbox, api = at("2026-01-01T00:00:30Z")
    made = sandbox.instances.add(name="web-1", plan="pro")
    sandbox.clock.advance("1h")
    opening, first, second = api.get("/v1/billing/transactions").json["data"]
    assert opening.pop("id") != first.pop("id") != second.pop("id")
    assert opening == {
        "type": "credit",
        "amount": "$100.00",
        "amount_cents": 10000,
        "balance_after": "$100.00",
        "balance_after_cents": 10000,
        "description": "Opening balance",
        "resource_id": None,
        "created_at": "2026-01-01T00:00:30Z",
    }
    assert first == {
        "type": "charge",
        "amount": "-$0.04",
        "amount_cents": -4,
        "balance_after": "$99.96",
        "balance_after_cents": 9996,
        "description": "Instance web-1 (pro)",
        "resource_id": made["id"],
        "created_at": "2026-01-01T00:00:30Z",
    }
    assert (second["balance_after"], second["created_at"]) == ("$99.92", "2026-01-01T01:00:30Z")


def test_the_balance_is_credits_less_charges_and_the_last_balance_after(busy):
    items = everything(busy)
    balance = busy.get("/v1/billing/balance").json
    assert {item["type"] for item in items} == {"credit", "charge"}
    assert sum(item["amount_cents"] for item in items) == balance["balance_cents"]
    assert items[-1]["balance_after_cents"] == balance["balance_cents"]
    for one, other in pairwise(items):
        assert other["balance_after_cents"] - one["balance_after_cents"] == other["amount_cents"]
        assert one["created_at"] <= other["created_at"]
    for item in items:
        assert item["amount"] == format_money(item["amount_cents"])
        assert item["balance_after"] == format_money(item["balance_after_cents"])
        assert (item["resource_id"] is None) == (item["type"] == "credit")


def test_pages_of_any_size_are_the_same_list(busy):
    assert everything(busy, limit=7) == everything(busy)
    last = busy.get("/v1/billing/transactions?page=1000000000&limit=100").json
    assert last["data"] == []
    assert last["pagination"]["total"] == len(everything(busy))


def test_an_event_keeps_its_id_and_no_other_has_it(at, client):
    sandbox, api = at("2026-01-01T00:00:00Z")
    sandbox.instances.add()
    before = everything(api)
    sandbox.instances.add()
    sandbox.clock.advance("50h")
    after = everything(api)
    assert [item["id"] for item in after[: len(before)]] == [item["id"] for item in before]
    assert len({item["id"] for item in after}) == len(after) == 1 + 2 * 51


def test_the_same_run_gives_the_same_transactions(server, client):
    start = {"world": {"clock": {"start": "2026-01-01T00:00:00Z", "frozen": True}}}
    seen = []
    for _ in range(2):
        sandbox = server.sandbox(name="the same", scenario=start)
        sandbox.reset()
        sandbox.instances.add()
        seen.append(everything(client(sandbox.url, sandbox.api_key)))
    assert seen[0] == seen[1]


def test_lists_of_money_have_links(busy):
    for path in ("/v1/billing/transactions?limit=1", "/v1/billing/reports?start=2026-03-01&end=2026-03-09&limit=1"):
        assert f'<{path}&page=2>; rel="next"' in busy.get(path).headers["link"]


@pytest.mark.parametrize("path", ["balance", "transactions", "reports?start=2026-01-01&end=2026-01-02"])
def test_money_needs_its_scope(sandbox, api, path):
    assert api.get(f"/v1/billing/{path}").status == 200
    sandbox.account.scopes = ["instances:read"]
    refused = api.get(f"/v1/billing/{path}")
    assert (refused.status, refused.details["required_scope"]) == (403, "billing:read")


# ---- reports


def test_a_report_says_what_was_spent_on_what(at):
    sandbox, api = at("2026-03-08T04:30:00Z")
    made = sandbox.instances.add(name="web-1", plan="pro")
    sandbox.clock.advance("2h")
    assert report(api, "2026-03-07", "2026-03-09", "America/New_York") == {
        "timezone": "America/New_York",
        "currency": "USD",
        "group_by": "day",
        "start": "2026-03-07",
        "end": "2026-03-09",
        "total": "$0.12",
        "total_cents": 12,
        "data": [
            {
                "period": "2026-03-07",
                "start": "2026-03-07T00:00:00-05:00",
                "end": "2026-03-08T00:00:00-05:00",
                "duration_seconds": 86400,
                "amount": "$0.04",
                "amount_cents": 4,
                "items": [
                    {
                        "resource_id": made["id"],
                        "description": "Instance web-1 (pro)",
                        "hours": 1,
                        "amount": "$0.04",
                        "amount_cents": 4,
                    }
                ],
            },
            {
                "period": "2026-03-08",
                "start": "2026-03-08T00:00:00-05:00",
                "end": "2026-03-09T00:00:00-04:00",
                "duration_seconds": 82800,
                "amount": "$0.08",
                "amount_cents": 8,
                "items": [
                    {
                        "resource_id": made["id"],
                        "description": "Instance web-1 (pro)",
                        "hours": 2,
                        "amount": "$0.08",
                        "amount_cents": 8,
                    }
                ],
            },
        ],
        "pagination": {"page": 1, "limit": 20, "total": 2, "total_pages": 1},
    }


@cases(
    ("timezone", "day", "hours", "start", "end"),
    [
        ("America/New_York", "2026-03-08", 23, "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00"),
        ("America/New_York", "2026-11-01", 25, "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"),
        ("Australia/Lord_Howe", "2026-04-05", 24.5, "2026-04-05T00:00:00+11:00", "2026-04-06T00:00:00+10:30"),
        ("Africa/Cairo", "2026-04-23", 24, "2026-04-23T00:00:00+02:00", "2026-04-24T01:00:00+03:00"),
        ("Africa/Cairo", "2026-04-24", 23, "2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"),
        ("America/Havana", "2024-11-03", 25, "2024-11-03T00:00:00-04:00", "2024-11-04T00:00:00-05:00"),
        ("America/St_Johns", "2010-11-07", 25, "2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30"),
        ("Africa/Monrovia", "1970-01-01", 24, "1970-01-01T00:00:30-00:44", "1970-01-02T00:00:30-00:44"),
        ("Asia/Kathmandu", "2026-01-01", 24, "2026-01-01T00:00:00+05:45", "2026-01-02T00:00:00+05:45"),
        ("UTC", "2026-01-01", 24, "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"),
    ],
)
def test_a_day_is_as_long_as_it_is_in_its_zone(api, timezone, day, hours, start, end):
    tomorrow = dt.date.fromisoformat(day) + dt.timedelta(days=1)
    [period] = report(api, day, tomorrow, timezone)["data"]
    assert (period["period"], period["start"], period["end"]) == (day, start, end)
    assert period["duration_seconds"] == hours * 3600


def test_a_day_that_never_was_is_not_listed(api):
    found = report(api, "2011-12-29", "2012-01-01", "Pacific/Apia")
    assert [(each["period"], each["start"]) for each in found["data"]] == [
        ("2011-12-29", "2011-12-29T00:00:00-10:00"),
        ("2011-12-31", "2011-12-31T00:00:00+14:00"),
    ]
    assert found["pagination"]["total"] == 2
    alone = report(api, "2011-12-30", "2011-12-31", "Pacific/Apia")
    assert (alone["data"], alone["pagination"]["total_pages"], alone["total"]) == ([], 1, "$0.00")


def test_months_are_clipped_to_the_range(api):
    found = report(api, "2026-01-15", "2026-03-02", "Europe/Berlin", group_by="month")
    assert [(each["period"], each["start"], each["end"], each["amount"]) for each in found["data"]] == [
        ("2026-01", "2026-01-15T00:00:00+01:00", "2026-02-01T00:00:00+01:00", "$0.00"),
        ("2026-02", "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", "$0.00"),
        ("2026-03", "2026-03-01T00:00:00+01:00", "2026-03-02T00:00:00+01:00", "$0.00"),
    ]
    [whole] = report(api, "2026-03-01", "2026-04-01", "Europe/Berlin", group_by="month")["data"]
    assert whole["duration_seconds"] == (31 * 24 - 1) * 3600


def test_pages_count_periods_and_the_total_is_of_the_whole_range(busy):
    whole = report(busy, "2026-03-01", "2026-03-15", "America/New_York")
    parts = [report(busy, "2026-03-01", "2026-03-15", "America/New_York", limit=3, page=page) for page in range(1, 7)]
    assert [period for part in parts for period in part["data"]] == whole["data"]
    assert {part["total_cents"] for part in parts} == {whole["total_cents"]}
    assert parts[-1]["data"] == []
    assert parts[0]["pagination"] == {"page": 1, "limit": 3, "total": 14, "total_pages": 5}


def test_a_report_is_the_charges_of_the_statement(busy):
    charges = [item for item in everything(busy) if item["type"] == "charge"]
    found = report(busy, "2026-03-06", "2026-03-12", "Australia/Lord_Howe")
    assert found["total_cents"] == -sum(item["amount_cents"] for item in charges) > 0
    for period in found["data"]:
        start, end = parse_instant(period["start"]), parse_instant(period["end"])
        within = [item for item in charges if start <= parse_instant(item["created_at"]) < end]
        assert period["amount_cents"] == -sum(item["amount_cents"] for item in within)
        assert period["amount_cents"] == sum(item["amount_cents"] for item in period["items"])
        assert sum(item["hours"] for item in period["items"]) == len(within)
        assert period["amount"] == format_money(period["amount_cents"])


@pytest.fixture
def fleet(server, client):
    """A client of a frozen world of 60 instances, made over 200 days."""
    clock = {"start": "2026-07-20T00:00:00Z", "frozen": True}
    generate = {"instances": 60, "oldest": "200d"}
    account = {"balance": "$1000000.00", "rate_limit": "100000/min"}
    sandbox = server.sandbox(fixture={"clock": clock, "accounts": [account], "generate": generate})
    return client(sandbox.url, sandbox.api_key)


def test_a_report_of_many_resources_and_periods_sums_up_the_rest(fleet):
    path = "/v1/billing/reports?start=2026-04-01&end=2026-07-10&timezone=Asia/Kolkata"
    large = fleet.get(f"{path}&limit=100").json
    assert {len(period["items"]) for period in large["data"][60:]} == {21}, "2,000 for 100 periods, and the rest"
    whole = [period for page in range(1, 6) for period in fleet.get(f"{path}&page={page}").json["data"]]
    for few, all_of_it in zip(large["data"], whole, strict=True):
        *listed, other = few["items"]
        rest = all_of_it["items"][20:]
        if len(all_of_it["items"]) <= 20:
            assert few == all_of_it
            continue
        assert listed == all_of_it["items"][:20]
        assert (other["resource_id"], other["description"]) == ("other", "Other resources")
        assert other["hours"] == sum(item["hours"] for item in rest)
        assert other["amount_cents"] == sum(item["amount_cents"] for item in rest)
        assert few["amount_cents"] == all_of_it["amount_cents"] == sum(item["amount_cents"] for item in few["items"])


@pytest.mark.slow
def test_every_zone_has_the_same_total_and_leaves_no_gap(busy):
    totals = set()
    for name in sorted(zones.names()):
        found = report(busy, "2026-03-05", "2026-03-12", name)
        totals.add(found["total_cents"])
        assert sum(period["amount_cents"] for period in found["data"]) == found["total_cents"]
        assert all(one["end"] == other["start"] for one, other in pairwise(found["data"]))
    assert len(totals) == 1


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Pacific/Kiritimati", "Asia/Kolkata"])
def test_adjacent_ranges_add_up(busy, timezone):
    whole = report(busy, "2026-03-05", "2026-03-12", timezone)["total_cents"]
    for middle in range(6, 12):
        one = report(busy, "2026-03-05", f"2026-03-{middle:02}", timezone)["total_cents"]
        assert one + report(busy, f"2026-03-{middle:02}", "2026-03-12", timezone)["total_cents"] == whole


def test_credits_are_no_spending(at):
    sandbox, api = at("2026-01-01T12:00:00Z")
    sandbox.account.balance = "$7.00"
    assert report(api, "2026-01-01", "2026-01-02")["total"] == "$0.00"


def test_what_has_not_happened_yet_costs_nothing(at):
    sandbox, api = at("2026-01-01T12:00:00Z")
    sandbox.instances.add(plan="pro")
    assert report(api, "2026-01-01", "2026-01-03")["total_cents"] == 4
    sandbox.clock.advance("1d")
    assert report(api, "2026-01-01", "2026-01-03")["total_cents"] == 25 * 4


@cases(
    ("query", "details"),
    [
        ("", {"start": "is required", "end": "is required"}),
        (
            "start=2026-02-30&end=2026-3-01&timezone=europe/berlin&group_by=dya&page=0&limit=101",
            {
                "start": "must be a date that exists",
                "end": "must be a date such as 2026-01-31",
                "timezone": "must be an IANA time zone name such as Europe/Berlin, did you mean 'Europe/Berlin'?",
                "group_by": "must be one of: day, month; did you mean 'day'?",
                "page": "must be a whole number from 1 to 1000000000",
                "limit": "must be a whole number from 1 to 100",
            },
        ),
        (
            "start=2026-01-02&end=2026-01-02&group_by=week",
            {
                "end": "must be after start: it is the first day after the report",
                "group_by": "must be one of: day, month",
            },
        ),
        ("start=2026-01-01&end=2027-01-03", {"end": "must be at most 366 days after start"}),
        (
            "start=1969-12-31&end=9999-01-01",
            {"start": "must be in the years 1970 to 9998", "end": "must be in the years 1970 to 9998"},
        ),
        (
            "start=20260101&end=2026-01-02T00:00:00Z",
            {"start": "must be a date such as 2026-01-31", "end": "must be a date such as 2026-01-31"},
        ),
        (
            "start=２０２６-01-01&end=2026-01-02&end=2026-01-03",
            {"start": "must be a date such as 2026-01-31", "end": "is given twice: give it once"},
        ),
    ],
)
def test_every_bad_field_of_a_report_is_named(api, query, details):
    refused = api.get(f"/v1/billing/reports?{quote(query, safe='&=/')}")
    assert (refused.status, refused.error["code"]) == (400, "VALIDATION_ERROR")
    assert refused.details == details


@cases(
    ("name", "hint"),
    [
        ("+02:00", "not an offset"),
        ("UTC+2", "not an offset"),
        ("-0530", "not an offset"),
        ("america/new_york", "did you mean 'America/New_York'?"),
        ("utc", "did you mean 'UTC'?"),
        ("Berlin", "did you mean 'Europe/Berlin'?"),
        ("posix/Europe/Berlin", "did you mean 'Europe/Berlin'?"),
        ("right/Europe/Berlin", "did you mean 'Europe/Berlin'?"),
        ("Europe/Berlin/", "did you mean 'Europe/Berlin'?"),
        (" Europe/Berlin", "did you mean 'Europe/Berlin'?"),
        ("../zoneinfo/UTC", "Europe/Berlin"),
        ("/etc/localtime", "Europe/Berlin"),
        ("localtime", "Europe/Berlin"),
        ("Factory", "Europe/Berlin"),
        ("Europe", ""),
        ("zone.tab", "Europe/Berlin"),
        ("", "Europe/Berlin"),
        ("x" * 3000, "Europe/Berlin"),
        ("\x00", "Europe/Berlin"),
    ],
)
def test_only_the_exact_name_of_a_zone_will_do(api, name, hint):
    refused = api.get(f"/v1/billing/reports?start=2026-01-01&end=2026-01-02&timezone={quote(name, safe='')}")
    assert (refused.status, list(refused.details)) == (400, ["timezone"])
    assert refused.details["timezone"].endswith(hint)


def test_the_longest_report_and_the_ends_of_time(api):
    assert report(api, "2027-12-31", "2028-12-31")["pagination"]["total"] == 366
    for name in ("Etc/GMT+12", "Pacific/Kiritimati"):
        assert len(report(api, "1970-01-01", "1970-01-02", name)["data"]) == 1
        assert len(report(api, "9998-12-30", "9998-12-31", name)["data"]) == 1


# ---- days


@pytest.mark.slow
@given(st.sampled_from(sorted(zones.names())), st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)))
def test_a_day_begins_with_its_first_instant(name, day):
    where = zones.zone(name)
    start, end = (zones.begin(day + dt.timedelta(days=days), where) for days in (0, 1))
    assert start <= end <= start + 50 * HOUR
    if start < end:
        assert local(start, where).date() == day
    assert local(start - SECOND, where).date() < day


def local(instant: int, where: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(instant // SECOND, where)
