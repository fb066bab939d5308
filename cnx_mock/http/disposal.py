"""What a large world leaves behind is freed in slices of a few milliseconds, and calls are served between them.

A million records that nobody holds any more would be freed in one go, which takes more than a second. So they are put
into a flat list first. That is quick, and it takes nothing from a call that still uses the world.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from cnx_mock.api.declarations import BaseModel
from cnx_mock.http import loading
from cnx_mock.world.clock import ticks

_MANY = 2_000
_TOGETHER = 100
"""How many are freed in one go: less than a millisecond."""

_LONG = 100
"""The entries of lists from this length on are freed one by one."""


def free_slowly(parts: list[Any]) -> None:
    """Free what is in a list, and in nothing else any more. Few things, or those of a program without an event loop,
    are freed at once."""
    if len(parts) < _MANY:
        return
    try:
        _free(asyncio.get_running_loop(), parts)
    except RuntimeError:
        return


def _free(loop: asyncio.AbstractEventLoop, parts: list[Any]) -> None:
    began = ticks()
    while parts:
        del parts[-_TOGETHER:]
        if ticks() - began >= loading.SLICE:
            loop.call_soon(_free, loop, parts)
            return


def parts_of(document: Any) -> Iterator[Any]:
    """Yield the entries of every long list in plain data, or in the models that were made of it."""
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list) and len(each) >= _LONG:
            yield from each
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, BaseModel):
            waiting += vars(each).values()
