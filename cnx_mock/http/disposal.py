"""What a large world leaves behind is freed in slices of a few milliseconds, and calls are served between them."""

import asyncio
from collections.abc import Iterator
from typing import Any

from cnx_mock.api.declarations import BaseModel
from cnx_mock.http import loading
from cnx_mock.world.clock import ticks
from cnx_mock.world.release import Holder, release_steps

_MANY = 2_000

_LONG = 100
"""The entries of lists from this length on are freed one by one."""


def free_slowly(holders: list[Holder]) -> None:
    """Free these holders, and what is in them and in nothing else any more. Few things, or those of a program without
    an event loop, are freed at once. The caller keeps none of the holders."""
    if sum(map(len, holders)) < _MANY:
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    _free(loop, release_steps(holders))


def _free(loop: asyncio.AbstractEventLoop, steps: Iterator[None]) -> None:
    began = ticks()
    for _ in steps:
        if ticks() - began >= loading.SLICE:
            loop.call_soon(_free, loop, steps)
            return


def long_lists(document: Any) -> Iterator[list[Any]]:
    """Yield every long list in plain data, or in the models that were made of it."""
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list) and len(each) >= _LONG:
            yield each
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, BaseModel):
            waiting += vars(each).values()
