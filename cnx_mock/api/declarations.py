"""The words that declarations are written with: pydantic's own, but pydantic is loaded only when a declaration is used.

    class InstanceCreate(Declared):
        name: Annotated[str, Field(max_length=63)]

Loading pydantic and building every model took two thirds of the server's start, and its first answer needs none of
them. So at run time the words below only remember what they were called with, and a class of this kind only keeps its
body. `model_of` makes pydantic's model from it, once, when somebody validates with it or asks for its schema. For a
type checker the words are pydantic's. tests/api/test_declarations.py holds that both ways give the same models.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import cache, reduce
from itertools import pairwise
from operator import or_
from threading import RLock
from types import UnionType, new_class
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

__all__ = [
    "AfterValidator",
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "GetJsonSchemaHandler",
    "RootModel",
    "ValidationInfo",
    "WithJsonSchema",
    "later",
    "made",
    "model_of",
    "model_validator",
    "unset",
]

T = TypeVar("T")

_MODEL = "__declared_model__"
"""The attribute of a class under which its model is kept, once it is made."""
_NOT_IN_A_BODY = {
    "__dict__",
    "__weakref__",
    "__annotations__",
    "__annotate_func__",
    "__annotations_cache__",
    "__orig_bases__",
}
"""What a model's body does not take from the class that declares it."""
_BUILDING = RLock()
"""Two servers can live in two threads of one process, and share these classes."""


class _Word:
    """A word of pydantic's, or what is written with it. `make` returns what it stands for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None

    @classmethod
    def named(cls, name: str) -> "_Word":
        """Return the word with this name."""

        def find() -> Any:
            import pydantic  # lazy: a server that only starts, or answers a list, needs no model

            return getattr(pydantic, name)

        return cls(find)

    def __call__(self, *args: Any, **options: Any) -> "_Word":
        return _Word(lambda: made(self)(*map(made, args), **{name: made(each) for name, each in options.items()}))

    def __getitem__(self, of: Any) -> "_Word":
        return _Word(lambda: made(self)[made(of)])

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (BaseModel,)

    def made(self) -> Any:
        """Return what it stands for."""
        if self._made is None:
            self._made = self._make()
        return self._made


class _Declaration(type):
    """The kind of a class that declares a model. What pydantic's models can do, it does by its model."""

    def __call__(cls, *args: Any, **values: Any) -> Any:
        return model_of(cls)(*args, **values)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("model_"):
            return getattr(model_of(cls), name)
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, model_of(cls))


if TYPE_CHECKING:
    from pydantic import (
        AfterValidator,
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Field,
        GetJsonSchemaHandler,
        RootModel,
        ValidationInfo,
        WithJsonSchema,
        model_validator,
    )
else:
    AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, RootModel, ValidationInfo, WithJsonSchema = map(
        _Word.named,
        (
            *("AfterValidator", "BeforeValidator", "Field", "GetJsonSchemaHandler"),
            *("RootModel", "ValidationInfo", "WithJsonSchema"),
        ),
    )
    model_validator = _Word.named("model_validator")
    ConfigDict = dict

    class BaseModel(metaclass=_Declaration):
        """Base of every declaration."""


def later(make: Callable[[], T]) -> T:
    """Return what stands for the result of `make` as an argument of such a word, until a model is made."""
    return _Word(make)  # type: ignore[return-value]  # a stand-in


def model_of(declaration: Any) -> Any:
    """Return pydantic's model for a class that declares one. It is made once."""
    if _MODEL not in vars(declaration):
        with _BUILDING:
            if _MODEL not in vars(declaration):
                setattr(declaration, _MODEL, _built(declaration))
    return vars(declaration)[_MODEL]


def _built(declaration: type) -> Any:
    if declaration is BaseModel:
        return _Word.named("BaseModel").made()
    own = vars(declaration)
    bases = tuple(made(base) for base in own.get("__orig_bases__", declaration.__bases__))
    body = {name: made(value) for name, value in own.items() if name not in _NOT_IN_A_BODY}
    hints = inspect.get_annotations(declaration, eval_str=True)
    body["__annotations__"] = {name: made(hint) for name, hint in hints.items()}
    model: Any = new_class(declaration.__name__, bases, {"defer_build": True}, lambda given: given.update(body))
    for name, text in _descriptions(declaration.__module__).get(declaration.__name__, {}).items():
        if name in model.model_fields and model.model_fields[name].description is None:
            model.model_fields[name].description = text
    model.model_rebuild()
    return model


def made(part: Any) -> Any:
    """Return a part of a declaration as pydantic has it: with its words in place of ours, at any depth.

    An answer's class stays the same class, and the types of its fields are changed.
    """
    if isinstance(part, _Word):
        return part.made()
    if isinstance(part, _Declaration):
        return model_of(part)
    if isinstance(part, type) and is_dataclass(part):
        _settle(part)
        return part
    origin = get_origin(part)
    if origin is None or origin in (ClassVar, Literal):
        return part
    args = tuple(made(each) for each in get_args(part))
    if origin is Annotated:
        return Annotated[args]
    return reduce(or_, args) if origin in (Union, UnionType) else made(origin)[args]


def _settle(shape: Any) -> None:
    """Change the types of an answer's fields, and of its bases', to what pydantic reads."""
    with _BUILDING:
        for base in filter(is_dataclass, shape.__mro__):
            if _MODEL not in vars(base):
                setattr(base, _MODEL, base)
                for field in base.__dataclass_fields__.values():
                    field.type = made(field.type)
                base.__annotations__.update({name: made(hint) for name, hint in base.__annotations__.items()})


def unset(declaration: Any) -> Any:
    """Return a declaration's instance to which nothing is given, made without pydantic; None if it takes more than its
    plain defaults to make it. It has the fields and the methods of the declaration, and is only to be read."""
    for base in declaration.__mro__:
        words = any(isinstance(value, _Word) for value in vars(base).values())
        required = any(not hasattr(declaration, name) for name in inspect.get_annotations(base))
        if words or required or "__orig_bases__" in vars(base):
            return None
    instance = object.__new__(declaration)
    vars(instance).update(
        (name, value.copy())
        for base in declaration.__mro__
        for name, value in vars(base).items()
        if isinstance(value, list | dict) and name in inspect.get_annotations(base)
    )
    return instance


@cache
def _descriptions(module: str) -> dict[str, dict[str, str]]:
    """Return the docstrings of the fields in each class of a module; nothing if its source is not there.

    (Pydantic looks for the `class` statement on the stack, and there is none when a model is made later.)
    """
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {each.name: dict(_documented(each.body)) for each in tree.body if isinstance(each, ast.ClassDef)}


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield each field of a class with a docstring, and that docstring."""
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, inspect.cleandoc(words)
