"""`dataclass` of the standard library, except that a method is compiled when it is first looked up.

The standard library compiles up to seven methods of a class while it makes the class: half a millisecond for a frozen
one with slots, and a quarter of the time to a server's first answer. Most of them are not called before that, or ever.
Here it makes the class with its fields and slots, and compiles nothing. Every method is as it would be there, and so
are `fields`, `replace` and pickling: `tests/test_dataclass.py` compares the two. There is no `InitVar` and no
`unsafe_hash`.
"""

from dataclasses import MISSING, Field, FrozenInstanceError, fields
from dataclasses import dataclass as made_dataclass
from reprlib import recursive_repr

__all__ = ["dataclass"]

TYPE_CHECKING = False  # that of `typing`, which is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import dataclass
    from typing import Any
else:

    def dataclass(cls=None, /, *, repr=True, eq=True, order=False, frozen=False, slots=False, **options):
        """As in the standard library. `options` are `kw_only`, `match_args` and `weakref_slot`, and are handed on."""
        if cls is None:
            return lambda cls: dataclass(cls, repr=repr, eq=eq, order=order, frozen=frozen, slots=slots, **options)
        own = dict(vars(cls))
        cls.__doc__ = cls.__doc__ or cls.__name__  # without one, a signature would be computed
        made = made_dataclass(init=False, repr=False, eq=False, unsafe_hash=False, slots=slots, **options)(cls)
        compared = ("__eq__", *(("__lt__", "__le__", "__gt__", "__ge__") if order else ())) if eq else ()
        for name in ("__init__", *(("__repr__",) if repr else ()), *compared):
            if name not in own:
                setattr(made, name, _Uncompiled(made, name, frozen))
        if eq and (own.get("__hash__") is None and ("__hash__" not in own or "__eq__" in own)):
            made.__hash__ = _Uncompiled(made, "__hash__", frozen) if frozen else None
        if frozen:
            made.__setattr__, made.__delattr__ = _refuse_assignment, _refuse_deletion
            if slots and "__getstate__" not in own:
                made.__getstate__, made.__setstate__ = _state, _set_state
        return made


class _Uncompiled:
    """Stands for a method, and puts the compiled one in its own place when somebody looks it up."""

    __slots__ = ("_cls", "_frozen", "_name")

    def __init__(self, cls: "type[Any]", name: str, frozen: bool) -> None:
        self._cls, self._name, self._frozen = cls, name, frozen

    def __get__(self, instance: object, owner: "type[Any] | None" = None) -> "Callable[..., Any]":
        method = _compiled(self._cls, self._name, self._frozen)
        setattr(self._cls, self._name, method)
        bound: Callable[..., Any] = method.__get__(instance, owner)
        return bound


def _compiled(cls: "type[Any]", name: str, frozen: bool) -> "Any":
    """Return a method of a class."""
    if name == "__init__":
        method = _init(cls, frozen)
    elif name == "__repr__":
        shown = ", ".join(f"{each.name}={{self.{each.name}!r}}" for each in fields(cls) if each.repr)
        method = recursive_repr()(_function("__repr__(self)", f'f"{{self.__class__.__qualname__}}({shown})"'))
    elif name == "__hash__":
        hashed = (each for each in fields(cls) if (each.compare if each.hash is None else each.hash))
        method = _function("__hash__(self)", f"hash({_tuple('self', hashed)})")
    else:
        this, that = (_tuple(each, (field for field in fields(cls) if field.compare)) for each in ("self", "other"))
        same = f"{this} {_OPERATORS[name]} {that} if other.__class__ is self.__class__ else NotImplemented"
        method = _function(f"{name}(self, other)", same)
    method.__qualname__ = f"{cls.__qualname__}.{name}"
    method.__module__ = cls.__module__
    return method


_OPERATORS = {"__eq__": "==", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}


def _tuple(name: str, members: "Iterable[Field[Any]]") -> str:
    """Return the tuple of these fields of an object, as source."""
    return f"({''.join(f'{name}.{each.name}, ' for each in members)})"


class _Unset:
    """The default of a parameter whose value is then made: a signature shows it."""

    def __repr__(self) -> str:
        return "<factory>"


_UNSET = _Unset()


def _init(cls: "type[Any]", frozen: bool) -> "Any":
    """Return the method that sets every field. The names in capital letters are not those of fields."""
    values: dict[str, Any] = {"SET": object.__setattr__, "UNSET": _UNSET}
    parameters: list[str] = []
    by_name: list[str] = []
    lines: list[str] = []
    for each in fields(cls):
        parameter, value = _parameter(each, values)
        if each.init:
            (by_name if each.kw_only else parameters).append(parameter)
        if value:
            lines.append(f"SET(self, {each.name!r}, {value})" if frozen else f"self.{each.name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    head = ", ".join(("self", *parameters, *(("*", *by_name) if by_name else ())))
    method = _function(f"__init__({head})", "None", lines, values)
    method.__annotations__ = {each.name: each.type for each in fields(cls) if each.init} | {"return": None}
    return method


def _parameter(field: "Field[Any]", values: "dict[str, Any]") -> tuple[str, str]:
    """Return a field's parameter and its value, as source. What the source names is put into `values`."""
    name, default = field.name, f"DEFAULT_{field.name}"
    if field.default_factory is not MISSING:
        values[default] = field.default_factory
        return f"{name}=UNSET", f"{default}() if {name} is UNSET else {name}" if field.init else f"{default}()"
    if field.default is not MISSING:
        values[default] = field.default
        return f"{name}={default}", name if field.init else default
    return name, name if field.init else ""


def _function(head: str, result: str, lines: "Iterable[str]" = (), values: "dict[str, Any] | None" = None) -> "Any":
    """Compile a function: its name and parameters, what it returns, the lines before that, and the names it uses."""
    made: dict[str, Any] = {}
    exec("\n ".join((f"def {head}:", *lines, f"return {result}")), values or {}, made)
    [function] = made.values()
    return function


def _refuse_assignment(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: "Any") -> "list[Any]":
    return [getattr(self, each.name) for each in fields(self)]


def _set_state(self: "Any", state: "list[Any]") -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
