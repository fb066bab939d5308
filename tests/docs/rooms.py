"""A drawing of the rooms and of what imports what, made from the imports that the code has."""

import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from html import escape

from tests.docs.markdown import table
from tests.test_architecture import FLOORS, HOUSE, modules, own_imports

_ROW, _TOP, _LEFT, _BOX, _WIDTH = 46, 16, 16, 600, 740
_STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2933 }
  .name { font-weight: 600 }
  .words { font-size: 12px; fill: #52606d }
  rect.card { fill: #ffffff }
  rect.room { fill: #f0f4f8; stroke: #9fb3c8 }
  path { fill: none; stroke: #486581; stroke-width: 1.5 }
  path.head { fill: #486581; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb } .words { fill: #9aa5b1 } rect.card { fill: #1e2129 }
    rect.room { fill: #2a2f3a; stroke: #52606d } path { stroke: #829ab1 } path.head { fill: #829ab1 }
  }"""


@dataclass(frozen=True)
class Room:
    """A package of ours."""

    name: str
    row: int
    words: str


def found() -> list[Room]:
    """The rooms, the highest first."""
    names = [name for floor in reversed(FLOORS) for name in floor]
    return [Room(name, row, _about(name)) for row, name in enumerate(names)]


def _about(name: str) -> str:
    words = inspect.getdoc(importlib.import_module(f"cnx_mock.{name}")) or ""
    first = words.split("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".:")
    return f"{first}."


@cache
def imports() -> set[tuple[str, str]]:
    """Pairs of rooms: the first imports the second."""
    known = modules(HOUSE)
    rooms = {room.name for room in found()}
    pairs = {
        (module.layer, each.target.partition(".")[0])
        for module in known.values()
        for each in own_imports(HOUSE, module, known)
    }
    return {(one, other) for one, other in pairs if one != other and {one, other} <= rooms}


def needed(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """The pairs without those that follow from others: what is imported by way of a third room is not drawn."""
    reach = {one: _reached(one, pairs) for one, _ in pairs}
    between = {(one, other) for one, other in pairs for step in reach[one] - {other} if other in reach.get(step, set())}
    return pairs - between


def _reached(start: str, pairs: set[tuple[str, str]]) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        room = todo.pop()
        new = {other for one, other in pairs if one == room} - seen
        seen |= new
        todo += new
    return seen


def law() -> str:
    """The rooms in their order, the lowest first."""
    floors = (floor[0] if len(floor) == 1 else f"{{{', '.join(floor)}}}" for floor in FLOORS)
    return f"`{' < '.join(floors)}`"


def rooms() -> str:
    """The rooms as a table."""
    pairs = imports()
    rows = []
    for room in found():
        below = sorted(other for one, other in pairs if one == room.name)
        rows.append([f"`{room.name}`", room.words, ", ".join(f"`{each}`" for each in below)])
    return table(["room", "what is in it", "imports"], rows)


def drawing() -> str:
    """The rooms from top to bottom, with an arc for each import."""
    listed = found()
    rows = {room.name: room.row for room in listed}
    height = _TOP * 2 + _ROW * len(listed)
    boxes = [line for room in listed for line in _box(room)]
    arcs = [line for one, other in sorted(needed(imports())) for line in _arc(rows[one], rows[other])]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
    title = "<title>The rooms of cnx-mock: an arc goes from a room to one that it imports</title>"
    card = f'<rect class="card" width="{_WIDTH}" height="{height}" rx="8"/>'
    return "\n".join([head, title, f"<style>{_STYLE}\n</style>", card, *boxes, *arcs, "</svg>"]) + "\n"


def _box(room: Room) -> list[str]:
    top = _TOP + room.row * _ROW
    words = room.words.replace("`", "")
    words = words if len(words) <= 92 else words[:90].rpartition(" ")[0] + " …"
    return [
        f'<rect class="room" x="{_LEFT}" y="{top + 2}" width="{_BOX}" height="{_ROW - 8}" rx="5"/>',
        f'<text class="name" x="{_LEFT + 12}" y="{top + 18}">{escape(room.name)}</text>',
        f'<text class="words" x="{_LEFT + 12}" y="{top + 33}">{escape(words)}</text>',
    ]


def _arc(one: int, other: int) -> list[str]:
    """From the middle of a room down to another; the further, the wider."""
    x, start, end = _LEFT + _BOX, _TOP + one * _ROW + 26, _TOP + other * _ROW + 16
    wide = x + 14 + 15 * (other - one)
    return [
        f'<path d="M {x} {start} C {wide} {start} {wide} {end} {x + 7} {end}"/>',
        f'<path class="head" d="M {x} {end} l 9 -5 v 10 z"/>',
    ]
