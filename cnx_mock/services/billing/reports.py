"""Reports: the spending on each resource, by the days or months of a time zone.

The reference: "Fixed timezone handling in billing reports" (v1.1.0). So a local day lasts from its first instant to the
first instant of the next day. That can be 23, 24.5 or 25 hours.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from cnx_mock.api.declarations import AfterValidator, BeforeValidator, Field, ValidationInfo
from cnx_mock.api.paging import PageQuery, Pagination
from cnx_mock.api.portable import Component
from cnx_mock.api.provenance import named
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.services.billing.balance import billing
from cnx_mock.services.billing.zones import begin, checked_name, shown, zone
from cnx_mock.text.units import format_money
from cnx_mock.world.clock import SECOND
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.statement import PeriodSpending, Spending, Statement

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAYS_MAX = 366
ITEMS_MAX = 2000
"""How many resources the periods of one page list together, at most: other calls wait while they are listed."""
ReportGrouping = Annotated[
    Literal["day", "month"], Component("ReportGrouping", "The length of the periods of a report.")
]

YEARS = range(1970, 9999)
"""The years that a sandbox's clock can show."""


def _date(value: object) -> date:
    """Return a date from the form 2026-01-31. (`date.fromisoformat` would also accept 20260131 and 2026-W05-6.)"""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a date such as 2026-01-31")
    year, month, day = map(int, value.split("-"))
    if year not in YEARS:
        raise ValueError(f"must be in the years {YEARS[0]} to {YEARS[-1]}")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError("must be a date that exists") from None


def _after_start(end: date, info: ValidationInfo) -> date:
    """Check that the end is after the start. It is a check of the field, so that errors of other fields are reported
    together with it."""
    start = info.data.get("start")
    if start is not None and end <= start:
        raise ValueError("must be after start: it is the first day after the report")
    if start is not None and (end - start).days > DAYS_MAX:
        raise ValueError(f"must be at most {DAYS_MAX} days after start")
    return end


class ReportQuery(PageQuery):
    """What to report. `page` and `limit` count periods."""

    start: Annotated[date, BeforeValidator(_date), Field(examples=["2026-01-01"])]
    """The first day, a date in the time zone."""
    end: Annotated[date, BeforeValidator(_date), AfterValidator(_after_start), Field(examples=["2026-01-03"])]
    """The day after the last one, a date in the time zone: 1 to 366 days after start."""
    timezone: Annotated[str, AfterValidator(checked_name), Field(examples=["America/New_York"])] = "UTC"
    """The time zone of the days and months: the exact name of a zone in the IANA time zone database."""
    group_by: Annotated[ReportGrouping, Field(examples=["day"])] = "day"
    """The length of a period. Months are cut off at the start and the end of the report."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ReportItem(Shape):
    """The cost of one resource in a period."""

    resource_id: Annotated[str, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The resource, which may be deleted by now; `other` for all that a large report does not list."""
    description: Annotated[str, Field(examples=["Instance prod-api-01 (pro)"])]
    """Its description."""
    hours: Annotated[int, Field(ge=1, examples=[23])]
    """How many of its hours started, and so were charged, in the period."""
    amount: Annotated[str, Field(examples=["$0.92"])]
    """The cost of these hours, in US dollars."""
    amount_cents: Annotated[int, Field(examples=[92])]
    """The same in cents."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ReportPeriod(Shape):
    """The spending on one local day, or in one local month."""

    period: Annotated[str, Field(examples=["2026-03-08"])]
    """The local date, or the local month such as 2026-03."""
    start: Annotated[str, Field(examples=["2026-03-08T00:00:00-05:00"])]
    """Its first instant, RFC 3339 with the zone's offset. Not every day starts at midnight."""
    end: Annotated[str, Field(examples=["2026-03-09T00:00:00-04:00"])]
    """The first instant after it, RFC 3339 with the zone's offset."""
    duration_seconds: Annotated[int, Field(ge=1, examples=[82800])]
    """Its real length, in seconds."""
    amount: Annotated[str, Field(examples=["$0.92"])]
    """The sum of the charges in it, in US dollars."""
    amount_cents: Annotated[int, Field(examples=[92])]
    """The same in cents."""
    items: list[ReportItem]
    """The same by resource, in order of creation; empty if nothing was charged. The periods of a page list at most
    2,000 resources together. If a period has more, its last item, `other`, is the sum of the rest: a smaller `limit`
    shows more of them."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Report(Shape):
    """The spending over a range of local dates: the charges, as positive amounts, without the credits."""

    timezone: Annotated[str, Field(examples=["America/New_York"])]
    """The requested time zone."""
    currency: Annotated[str, Field(examples=["USD"])]
    """The currency of every amount, ISO 4217."""
    group_by: Annotated[ReportGrouping, Field(examples=["day"])]
    """The length of a period."""
    start: Annotated[str, Field(examples=["2026-01-01"])]
    """The first day."""
    end: Annotated[str, Field(examples=["2026-01-03"])]
    """The day after the last one."""
    total: Annotated[str, Field(examples=["$29.72"])]
    """The sum of the charges in the whole range, on all pages, in US dollars."""
    total_cents: Annotated[int, Field(examples=[2972])]
    """The same in cents."""
    data: list[ReportPeriod]
    """The periods of this page, in order of time, also those without a charge. Days that the zone skipped are left
    out."""
    pagination: Pagination
    """The place of this page among the periods."""


class _Period(NamedTuple):
    name: str
    start: int
    end: int


def _boundaries(start: date, end: date, group_by: str) -> Iterator[date]:
    """Return the dates on which periods start, and then the end."""
    yield start
    for days in range(1, (end - start).days):
        day = start + timedelta(days=days)
        if group_by == "day" or day.day == 1:
            yield day
    yield end


def _periods(query: ReportQuery, tz: "ZoneInfo") -> list[_Period]:
    """Return the periods of the range, without gaps. A day that the zone skipped has no length, and is left out."""
    length = len("2026-03-08" if query.group_by == "day" else "2026-03")
    days = _boundaries(query.start, query.end, query.group_by)
    starts = [(day.isoformat()[:length], begin(day, tz)) for day in days]
    return [_Period(name, start, end) for (name, start), (_, end) in pairwise(starts) if start < end]


def _item(spending: Spending) -> ReportItem:
    return ReportItem(
        resource_id=spending.resource_id,
        description=spending.description,
        hours=spending.hours,
        amount=format_money(spending.cents),
        amount_cents=spending.cents,
    )


def _shown(period: _Period, spending: PeriodSpending, tz: "ZoneInfo") -> ReportPeriod:
    return ReportPeriod(
        period=period.name,
        start=shown(period.start, tz),
        end=shown(period.end, tz),
        duration_seconds=(period.end - period.start) // SECOND,
        amount=format_money(spending.cents),
        amount_cents=spending.cents,
        items=[_item(each) for each in spending.resources],
    )


@billing.operation(
    "GET",
    "/v1/billing/reports",
    scope="billing:read",
    provenance=named("Fixed timezone handling in billing reports"),
)
def reports(sandbox: SandboxState, query: ReportQuery) -> Report:
    """Report spending by day or month.

    A charge belongs to the period in which its hour starts. Amounts are positive, and credits are left out. Periods
    follow the time zone, without gaps; a period without charges is listed too."""
    tz = zone(query.timezone)
    statement = Statement(sandbox.ledger, sandbox.now)
    periods = _periods(query, tz)
    offset = (query.page - 1) * query.limit
    page = periods[offset : offset + query.limit]
    bounds = [*(period.start for period in page), page[-1].end] if page else []
    spending = statement.spending(bounds, ITEMS_MAX // max(1, len(page)))
    cents = statement.spent(begin(query.start, tz), begin(query.end, tz))
    return Report(
        timezone=query.timezone,
        currency="USD",
        group_by=query.group_by,
        start=query.start.isoformat(),
        end=query.end.isoformat(),
        total=format_money(cents),
        total_cents=cents,
        data=[_shown(period, spent, tz) for period, spent in zip(page, spending, strict=True)],
        pagination=Pagination.of(query, len(periods)),
    )
