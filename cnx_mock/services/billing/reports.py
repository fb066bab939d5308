"""Reports: what was spent on what, by the days or months of a time zone. "Fixed timezone handling in billing reports"
(v1.1.0): a local day lasts from its first instant to that of the next one, be that 23, 24.5 or 25 hours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from cnx_mock.api.paging import PageQuery, Pagination
from cnx_mock.api.provenance import named
from cnx_mock.api.shapes import Shape
from cnx_mock.services.billing.balance import billing
from cnx_mock.services.billing.zones import begin, checked_name, shown, zone
from cnx_mock.text.units import format_money
from cnx_mock.world.clock import SECOND
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.statement import Spending, Statement

DAYS_MAX = 366
YEARS = range(1970, 9999)
"""Those in which a sandbox's time lies."""


def _date(value: object) -> date:
    """A date in plain ASCII digits: `date.fromisoformat` would also take 20260131 and 2026-W05-6."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a date such as 2026-01-31")
    year, month, day = map(int, value.split("-"))
    if year not in YEARS:
        raise ValueError(f"must lie in the years {YEARS[0]} to {YEARS[-1]}")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError("must be a day of the calendar") from None


def _after_start(end: date, info: ValidationInfo) -> date:
    """Judged as soon as `start` is good, so that every other bad field is named in the same answer."""
    start = info.data.get("start")
    if start is not None and end <= start:
        raise ValueError("must be after start: it is the first day that does not belong to the report")
    if start is not None and (end - start).days > DAYS_MAX:
        raise ValueError(f"must be at most {DAYS_MAX} days after start")
    return end


class ReportQuery(PageQuery):
    """What to report; `page` and `limit` count periods."""

    start: Annotated[date, BeforeValidator(_date), Field(examples=["2026-03-01"])]
    """The first day, a date in the time zone."""
    end: Annotated[date, BeforeValidator(_date), AfterValidator(_after_start), Field(examples=["2026-04-01"])]
    """The day after the last one, a date in the time zone: 1 to 366 days after start."""
    timezone: Annotated[str, AfterValidator(checked_name), Field(examples=["America/New_York"])] = "UTC"
    """Whose days and months these are: the exact name of a zone in the IANA time zone database."""
    group_by: Annotated[Literal["day", "month"], Field(examples=["day"])] = "day"
    """What a period is; months are clipped to the range."""


@dataclass(slots=True, kw_only=True, eq=False)
class ReportItem(Shape):
    """What one resource cost in a period."""

    resource_id: Annotated[str, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The resource, which may be gone by now."""
    description: Annotated[str, Field(examples=["Instance prod-api-01 (pro)"])]
    """What it is, in words."""
    hours: Annotated[int, Field(ge=1, examples=[23])]
    """How many of its hours started, and were charged, in the period."""
    amount: Annotated[str, Field(examples=["$0.92"])]
    """What they cost, in US dollars."""
    amount_cents: Annotated[int, Field(examples=[92])]
    """The same in cents."""


@dataclass(slots=True, kw_only=True, eq=False)
class ReportPeriod(Shape):
    """What was spent on one local day, or in one local month."""

    period: Annotated[str, Field(examples=["2026-03-08"])]
    """The local date, or the local month such as 2026-03."""
    start: Annotated[str, Field(examples=["2026-03-08T00:00:00-05:00"])]
    """Its first instant, RFC 3339 with the zone's offset; not midnight on a day that has none."""
    end: Annotated[str, Field(examples=["2026-03-09T00:00:00-04:00"])]
    """The first instant after it, RFC 3339 with the zone's offset."""
    duration_seconds: Annotated[int, Field(ge=1, examples=[82800])]
    """How long it really lasts, in seconds."""
    amount: Annotated[str, Field(examples=["$0.92"])]
    """What was charged in it, in US dollars."""
    amount_cents: Annotated[int, Field(examples=[92])]
    """The same in cents."""
    items: list[ReportItem]
    """The same by resource, in order of creation; empty when nothing was charged."""


@dataclass(slots=True, kw_only=True, eq=False)
class Report(Shape):
    """Spending over a range of local dates: charges only, as positive amounts; credits are no part of it."""

    timezone: Annotated[str, Field(examples=["America/New_York"])]
    """The time zone, as asked for."""
    currency: Annotated[str, Field(examples=["USD"])]
    """The currency of every amount, ISO 4217."""
    group_by: Annotated[Literal["day", "month"], Field(examples=["day"])]
    """What a period is."""
    start: Annotated[str, Field(examples=["2026-03-01"])]
    """The first day."""
    end: Annotated[str, Field(examples=["2026-04-01"])]
    """The day after the last one."""
    total: Annotated[str, Field(examples=["$29.72"])]
    """What was charged in the whole range, whichever page this is, in US dollars."""
    total_cents: Annotated[int, Field(examples=[2972])]
    """The same in cents."""
    data: list[ReportPeriod]
    """The page's periods, in order of time; those without a charge are there too, days that the zone left out are
    not."""
    pagination: Pagination
    """Where this page stands among the periods."""


class _Period(NamedTuple):
    name: str
    start: int
    end: int


def _cuts(start: date, end: date, group_by: str) -> Iterator[date]:
    """The dates on which periods begin, and the end."""
    yield start
    for days in range(1, (end - start).days):
        day = start + timedelta(days=days)
        if group_by == "day" or day.day == 1:
            yield day
    yield end


def _periods(query: ReportQuery, where: ZoneInfo) -> list[_Period]:
    """The range in periods, each from where the one before it ends; what lasts no time does not exist."""
    length = len("2026-03-08" if query.group_by == "day" else "2026-03")
    cuts = [(day.isoformat()[:length], begin(day, where)) for day in _cuts(query.start, query.end, query.group_by)]
    return [_Period(name, start, end) for (name, start), (_, end) in pairwise(cuts) if start < end]


def _item(spending: Spending) -> ReportItem:
    return ReportItem(
        resource_id=spending.resource_id,
        description=spending.description,
        hours=spending.hours,
        amount=format_money(spending.cents),
        amount_cents=spending.cents,
    )


def _shown(period: _Period, spending: list[Spending], where: ZoneInfo) -> ReportPeriod:
    cents = sum(each.cents for each in spending)
    return ReportPeriod(
        period=period.name,
        start=shown(period.start, where),
        end=shown(period.end, where),
        duration_seconds=(period.end - period.start) // SECOND,
        amount=format_money(cents),
        amount_cents=cents,
        items=[_item(each) for each in spending],
    )


@billing.operation(
    "GET",
    "/v1/billing/reports",
    scope="billing:read",
    provenance=named("Fixed timezone handling in billing reports"),
)
def reports(sandbox: SandboxState, query: ReportQuery) -> Report:
    """Report spending by day or month.

    Each charge counts where the hour that it pays for starts. Amounts are spending: positive, and without credits.
    Periods are those of the time zone and follow each other without a gap; none is left out for being empty."""
    where = zone(query.timezone)
    statement = Statement(sandbox.ledger, sandbox.now)
    periods = _periods(query, where)
    offset = (query.page - 1) * query.limit
    page = periods[offset : offset + query.limit]
    spending = statement.spending([*(period.start for period in page), page[-1].end]) if page else []
    cents = statement.spent(begin(query.start, where), begin(query.end, where))
    return Report(
        timezone=query.timezone,
        currency="USD",
        group_by=query.group_by,
        start=query.start.isoformat(),
        end=query.end.isoformat(),
        total=format_money(cents),
        total_cents=cents,
        data=[_shown(period, spent, where) for period, spent in zip(page, spending, strict=True)],
        pagination=Pagination.of(query, len(periods)),
    )
