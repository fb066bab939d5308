"""Pagination, the same for every list under `/v1`: `page` from 1, and `limit` from 1 to 100, by default 20.

The reference: "Added pagination to all list endpoints" (v1.1.0); "Items per page (max 100)".
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote, unquote_plus

import orjson

from cnx_mock.api.declarations import BeforeValidator, Field, ValidationInfo, WithJsonSchema
from cnx_mock.api.provenance import documented
from cnx_mock.api.readings import LIMIT_ABOVE_MAX
from cnx_mock.api.shapes import Shape
from cnx_mock.api.under_reading import UnderReading
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.world.index import Selection
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.table import Table

PAGE_MAX = 1_000_000_000
LIMIT_MAX = 100
LIMIT_DEFAULT = 20


def _number(most: int, clamps: bool = False) -> BeforeValidator:
    """Return a validator for a whole number from 1 to `most`, in plain ASCII digits.

    (`int()` would also accept "１", "+1" and "1_0".) With `clamps`, the reading `limit-above-max` can turn a greater
    number into `most`.
    """

    def read(value: object, info: ValidationInfo) -> int:
        if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,99}", value):
            if int(value) <= most:
                return int(value)
            if clamps and LIMIT_ABOVE_MAX.of(_readings(info)) == "clamp":
                return most
        raise ValueError(f"must be a whole number from 1 to {most}")

    return BeforeValidator(read)


def _readings(info: ValidationInfo) -> Mapping[str, str]:
    return info.context.readings if isinstance(info.context, SandboxState) else {}


def _integer(most: int, default: int) -> WithJsonSchema:
    return WithJsonSchema({"type": "integer", "minimum": 1, "maximum": most, "default": default, "examples": [default]})


class Query(Declared):
    """Base of all declared query parameters. Parameters that are not declared are ignored."""


class PageQuery(Query):
    """The parameters of every list."""

    page: Annotated[int, _number(PAGE_MAX), _integer(PAGE_MAX, 1), documented("Page number for pagination")] = 1
    """Page number for pagination."""
    limit: Annotated[
        int,
        _number(LIMIT_MAX, clamps=True),
        _integer(LIMIT_MAX, LIMIT_DEFAULT),
        documented("Items per page (max 100)"),
        UnderReading(LIMIT_ABOVE_MAX, "clamp", {"maximum": None}),
    ] = LIMIT_DEFAULT
    """Items per page (max 100)."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Pagination(Shape):
    """The place of a page in its list."""

    page: Annotated[int, Field(ge=1, examples=[1])]
    """This page's number."""
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX, examples=[20])]
    """Items per page."""
    total: Annotated[int, Field(ge=0, examples=[42])]
    """Items on all pages."""
    total_pages: Annotated[int, Field(ge=1, examples=[3])]
    """Pages; 1 for an empty list."""

    @classmethod
    def of(cls, query: PageQuery, total: int) -> "Pagination":
        """Return the place of the requested page in a list of `total` items."""
        return cls(page=query.page, limit=query.limit, total=total, total_pages=max(1, -(-total // query.limit)))


T = TypeVar("T", bound=Shape)


class Paged(Shape):
    """Base of every answer that is one page of something longer."""

    __slots__ = ()
    pagination: Pagination


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Page(Paged, Generic[T]):
    """One page of a list, in order of creation."""

    data: list[T]
    """The items of this page; empty after the last page."""
    pagination: Pagination
    """The place of this page in the list."""

    def encode(self) -> bytes:
        """Return the page as JSON in the default envelope."""
        return self.in_envelope("nested")

    def encoded(self) -> "Page[T]":
        """Return the page with its JSON in place of its items, which are much larger. It is for the default envelope
        alone."""
        page: Page[T] = Page(data=[], pagination=self.pagination)
        page.keep_json(self.json())
        return page

    def in_envelope(self, envelope: str) -> bytes:
        """Return the page as JSON in an envelope of the reading `list-envelope`.

        The items' own JSON is joined, because most of them have been encoded before.
        """
        items = b"[" + b",".join([item.json() for item in self.data]) + b"]"
        if envelope == "bare":
            return items
        if envelope == "flat":
            here = self.pagination
            counts = orjson.dumps({"page": here.page, "pages": here.total_pages, "results": here.total})
            return b'{"data":' + items + b"," + counts[1:]
        return b'{"data":' + items + b',"pagination":' + self.pagination.json() + b"}"


def page_of(records: Table[Any] | Selection[Any], query: PageQuery, show: Callable[[Any], T]) -> Page[T]:
    """Return the requested page. `show` is called for its items only."""
    chosen = records.page((query.page - 1) * query.limit, query.limit)
    return Page(data=[show(record) for record in chosen], pagination=Pagination.of(query, len(records)))


def links(path: str, query: str, pagination: Pagination) -> bytes:
    """Return the `Link` header of a page (RFC 8288): relative references that keep every other query parameter."""
    kept = "".join(f"{pair}&" for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) != "page")
    target = f"<{path}?{quote(kept, safe='=&%+-._~:/,@!$()*;?')}page="
    page, last = pagination.page, pagination.total_pages
    parts = [f'{target}1>; rel="first"']
    if page > 1:
        parts.append(f'{target}{min(page - 1, last)}>; rel="prev"')
    if page < last:
        parts.append(f'{target}{page + 1}>; rel="next"')
    parts.append(f'{target}{last}>; rel="last"')
    return ", ".join(parts).encode("latin-1")
