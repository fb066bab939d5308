"""Our `dataclass` makes what the standard library's makes, only later."""

import copy
import dataclasses
import inspect
import pickle
import re
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import Any, ClassVar

import pytest

from cnx_mock.dataclass import _Uncompiled, dataclass
from tests.cases import cases

Decorator = Callable[..., Any]


def plain(decorator: Decorator, options: dict[str, bool]) -> type[Any]:
    @decorator(**options)
    class Point:
        """A point."""

        kind: ClassVar[str] = "point"
        x: int
        y: int = 2
        names: list[str] = field(default_factory=list)
        note: str = field(default="", compare=False)
        secret: str = field(default="s", repr=False)
        seen: int = field(default=0, init=False)
        marks: dict[str, int] = field(default_factory=dict, init=False, hash=False)
        late: int = field(default=9, kw_only=True)

        def __post_init__(self) -> None:
            object.__setattr__(self, "seen", self.x + 1)

    return Point


def derived(decorator: Decorator, options: dict[str, bool]) -> type[Any]:
    @decorator(**options)
    class Base:
        a: int
        b: tuple[int, ...] = ()

    @decorator(**options)
    class Derived(Base):
        c: str = "c"
        b: tuple[int, ...] = (1,)

    return Derived


def with_methods_of_its_own(decorator: Decorator, options: dict[str, bool]) -> type[Any]:
    @decorator(**options)
    class Own:  # noqa: PLW1641 - equal, and without a hash
        a: int
        b: int = 0

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and self.a == other.a

    return Own


def hashed_by_itself(decorator: Decorator, options: dict[str, bool]) -> type[Any]:
    @decorator(**options)
    class Hashed:
        a: int
        b: int = 0

        def __init__(self, a: int) -> None:
            object.__setattr__(self, "a", a)
            object.__setattr__(self, "b", 5)

        def __hash__(self) -> int:
            return 5

    return Hashed


OPTIONS: list[dict[str, bool]] = [
    {"frozen": frozen, "slots": slots, **more}
    for frozen in (False, True)
    for slots in (False, True)
    for more in ({}, {"eq": False}, {"order": True}, {"kw_only": True}, {"eq": False, "repr": False})
]
SHAPES = (plain, derived, with_methods_of_its_own, hashed_by_itself)
OPERATIONS: dict[str, Callable[[Any], object]] = {
    "signature": lambda kind: str(inspect.signature(kind)),
    "annotations": lambda kind: kind.__init__.__annotations__,
    "name": lambda kind: (kind.__init__.__qualname__, kind.__eq__.__qualname__, kind.__init__.__module__),
    "match": lambda kind: kind.__match_args__,
    "fields": lambda kind: [(each.name, each.type, each.init, each.kw_only) for each in fields(kind)],
    "slots": lambda kind: getattr(kind, "__slots__", None),
    "doc": lambda kind: kind.__name__ in (kind.__doc__ or "Point"),
    "repr": lambda kind: repr(kind(3)),
    "set": lambda kind: vars_of(kind(3)),
    "defaults are made anew": lambda kind: vars_of(kind(1)) is not vars_of(kind(1)),
    "too few": lambda kind: kind(),
    "too many": lambda kind: kind(1, 2, 3, 4, 5, 6, 7),
    "unknown": lambda kind: kind(1, unknown=1),
    "equal": lambda kind: (kind(1) == kind(1), kind(1) == kind(2), kind(1) == 1, kind(1) != kind(2)),
    "note": lambda kind: kind(1, note="a") == kind(1, note="b"),
    "order": lambda kind: (kind(1) < kind(2), kind(1) <= kind(1), kind(2) > kind(1), kind(1) >= kind(2)),
    "order with another": lambda kind: kind(1) < 1,
    "hash": lambda kind: kind.__hash__ is object.__hash__ or hash(kind(1)),
    "assign": lambda kind: setattr(kind(1), fields(kind)[0].name, 5),
    "delete": lambda kind: delattr(kind(1), fields(kind)[0].name),
    "replace": lambda kind: repr(replace(kind(1), **{fields(kind)[0].name: 7})),
    "asdict": lambda kind: asdict(kind(1)),
    "copy": lambda kind: vars_of(copy.copy(kind(1))),
    "deepcopy": lambda kind: vars_of(copy.deepcopy(kind(1))),
}


def vars_of(made: Any) -> dict[str, object]:
    return {each.name: getattr(made, each.name) for each in fields(made)}


def outcome(operation: Callable[[Any], object], kind: type[Any]) -> object:
    try:
        found = operation(kind)
        return re.sub(r" at 0x[0-9a-f]+", "", found) if isinstance(found, str) else found
    except (TypeError, FrozenInstanceError) as error:
        return type(error), str(error)


@pytest.mark.slow
@cases("shape, options", [(shape, options) for shape in SHAPES for options in OPTIONS])
def test_what_can_be_done_with_one_has_the_outcome_that_it_has_with_the_standard_library_s(
    shape: Callable[[Decorator, dict[str, bool]], type[Any]], options: dict[str, bool]
) -> None:
    if "order" in options and shape is with_methods_of_its_own:
        return
    for name, operation in OPERATIONS.items():
        ours, theirs = shape(dataclass, options), shape(dataclasses.dataclass, options)
        assert outcome(operation, ours) == outcome(operation, theirs), name


@dataclass(frozen=True, slots=True)
class Kept:
    name: str
    inner: "Kept | None" = None


def test_a_frozen_one_with_slots_can_be_pickled() -> None:
    kept = Kept("a", Kept("b"))
    assert pickle.loads(pickle.dumps(kept)) == kept


def test_one_that_contains_itself_has_a_representation() -> None:
    @dataclass
    class Node:
        to: Any = None

    node = Node()
    node.to = node
    assert repr(node).endswith("Node(to=...)")


def test_a_method_is_compiled_when_it_is_first_looked_up() -> None:
    @dataclass(frozen=True)
    class Late:
        a: int

    class Child(Late):
        pass

    assert isinstance(vars(Late)["__init__"], _Uncompiled)
    assert Child(5).a == 5
    assert inspect.isfunction(vars(Late)["__init__"])
    assert "__init__" not in vars(Child)
    assert isinstance(vars(Late)["__eq__"], _Uncompiled)


def test_every_one_of_the_package_can_be_compiled() -> None:
    kinds = [
        kind
        for name, module in [*sys.modules.items()]
        if name.startswith("cnx_mock.")
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == name and dataclasses.is_dataclass(kind)
    ]
    for kind in kinds:
        for method in ("__init__", "__repr__", "__eq__", "__hash__"):
            getattr(kind, method)
    assert len(kinds) > 10


@pytest.mark.parametrize("options", [{"init": False}, {"unsafe_hash": True}])
def test_other_options_about_methods_are_refused(options: dict[str, bool]) -> None:
    with pytest.raises(TypeError):
        dataclass(**options)(type("Any", (), {}))
