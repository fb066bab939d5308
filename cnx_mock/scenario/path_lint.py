"""Which paths a rule's `match` can never meet, and the path that was probably meant."""

from collections.abc import Collection, Iterable, Iterator
from functools import cache

from cnx_mock.api.operation import Operation
from cnx_mock.api.router import is_api_path
from cnx_mock.text.suggestions import nearest


def path_problem(word: str, operations: Collection[Operation]) -> str | None:
    """Return why a path's pattern is wrong, None if requests with such a path are possible.

    A path that is near no operation's is possible: it is answered with 404, and rules are tried before.
    """
    excluded, path = word.startswith("!"), word.removeprefix("!")
    known = {each.path for each in operations}
    for sign in "?#":
        if sign in path:
            plain = path.partition(sign)[0]
            return f"has a '{sign}', but a path has no query: write path: {plain}, and query: {{NAME: VALUE}}"
    if _is_outside(path):
        meant = "/v1/" + path.lstrip("/")
        hint = f"; did you mean '{meant}'?" if _may_be(meant, known) else ""
        return None if excluded else f"is outside of /v1/: no rule is tried there{hint}"
    near = None if _may_be(path, known) else _near(path, known)
    return None if near is None else f"is not the path of an operation, did you mean '{near}'?"


def may_be_of(word: str, operations: Iterable[Operation]) -> bool:
    """Return whether a path's pattern can match the path of one of the operations."""
    return word.startswith("!") or _may_be(word, {each.path for each in operations})


def _is_outside(path: str) -> bool:
    """Return whether a pattern matches nothing under /v1/, as far as the text before its first `*` shows it."""
    literal, star, _ = path.partition("*")
    return not is_api_path(literal) and not (star and "/v1/".startswith(literal))


def _may_be(path: str, known: Iterable[str]) -> bool:
    return any(_overlap(tuple(path), tuple(_signs(each))) for each in known)


def _signs(template: str) -> Iterator[str]:
    """Yield the characters of an operation's path; a parameter is one sign, `{}`."""
    for index, part in enumerate(template.split("/")):
        if index:
            yield "/"
        yield from ["{}"] if part.startswith("{") else part


def _overlap(glob: tuple[str, ...], template: tuple[str, ...]) -> bool:
    """Return whether a path exists that both a pattern with `*` and an operation's path match."""

    @cache
    def meet(here: int, there: int, begun: bool) -> bool:
        """Whether the rests meet; `begun` is whether the parameter at `there` has a character already."""
        mine = glob[here] if here < len(glob) else ""
        theirs = template[there] if there < len(template) else ""
        if not mine and not theirs:
            return True
        if theirs == "{}":
            if begun and meet(here, there + 1, False):
                return True
            if mine == "*":
                return meet(here + 1, there, begun) or meet(here, there + 1, False)
            return mine not in ("", "/") and meet(here + 1, there, True)
        if mine == "*":
            return meet(here + 1, there, False) or (theirs != "" and meet(here, there + 1, False))
        return mine == theirs and meet(here + 1, there + 1, False)

    return meet(0, 0, False)


def _near(path: str, known: Collection[str]) -> str | None:
    """Return the path of an operation to which each part of `path` is near, with the ids that `path` has."""
    parts = path.rstrip("/").split("/")
    candidates = []
    for template in known:
        pairs = list(zip(parts, template.split("/"), strict=False))
        if len(parts) == template.count("/") + 1 and all(_is_near(*pair) for pair in pairs):
            candidates.append("/".join(part if word.startswith("{") else word for part, word in pairs))
    return nearest(path, candidates)


def _is_near(part: str, word: str) -> bool:
    return word.startswith("{") or part == word or nearest(part, [word]) is not None
