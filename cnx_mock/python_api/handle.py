"""What the handles of the Python API have in common: a misspelt attribute is an error."""

from types import MemberDescriptorType
from typing import Any

from cnx_mock.errors import CnxMockError, InvalidInputError, UnknownAttribute
from cnx_mock.text.suggestions import did_you_mean, one_of


class Handle:
    """Base of every handle. An attribute that it does not have cannot be set, and what is not made for it neither:
    otherwise `cnx.account.ballance = "$5.00"` would change nothing, without a word.

    A subclass of your own may have attributes of its own.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        if value is None and _has_setter(getattr(type(self), name, None)):
            raise InvalidInputError(f"{type(self).__name__}.{name} cannot be None")  # it would change nothing
        if name.startswith("_") or hasattr(self, "__dict__") or _is_settable(type(self), self, name):
            object.__setattr__(self, name, value)
            return
        kind, known = type(self).__name__, _settable(type(self))
        if name in _names(self):
            why = f"can be set: {one_of(known)}" if known else "no attribute can be set"
            raise UnknownAttribute(f"{kind}.{name} cannot be set ({why})")
        raise UnknownAttribute(f"{kind} has no {name!r}{did_you_mean(name, known) or did_you_mean(name, _names(self))}")

    def __repr__(self) -> str:
        try:
            return f"<{self._shown()}>"
        except CnxMockError as error:
            return f"<{type(self).__name__}: {error}>"

    def _shown(self) -> str:
        """Return what a person sees of it, in a REPL or in a failed assertion. May ask the server."""
        return type(self).__name__

    def __getattr__(self, name: str) -> Any:
        """Python asks this for an attribute that was not found. Raises UnknownAttribute."""
        hint = "" if name.startswith("_") else did_you_mean(name, _names(self))
        raise UnknownAttribute(f"{type(self).__name__} has no {name!r}{hint}")


def _names(handle: object) -> list[str]:
    """Return the public attributes of a handle."""
    return [name for name in dir(type(handle)) if not name.startswith("_")]


def _is_settable(kind: type, handle: object, name: str) -> bool:
    """Return whether an attribute may be set: a property that can be, or a slot that is still empty."""
    slot = getattr(kind, name, None)
    if _has_setter(slot):
        return True
    if not isinstance(slot, MemberDescriptorType):
        return False
    try:
        slot.__get__(handle)
    except AttributeError:
        return True
    return False


def _settable(kind: type) -> list[str]:
    """Return the properties that can be set."""
    return [name for name in dir(kind) if _has_setter(getattr(kind, name))]


def _has_setter(attribute: object) -> bool:
    """Return whether an attribute of a class is a property that can be set."""
    return getattr(attribute, "fset", None) is not None
