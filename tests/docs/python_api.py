"""The reference of the Python API, the pytest plugin and the errors, made from signatures and docstrings.

It reads the source rather than living objects: there the types are written as people write them."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any

import _pytest.config

import cnx_mock
from cnx_mock import errors
from tests.docs.markdown import capital, fenced, page, sentence, table

Function = ast.FunctionDef | ast.AsyncFunctionDef

_PLUGIN = ("cnx_mock.pytest_plugin.plugin", "cnx_mock.pytest_plugin.egress")
_PARTS = (
    "cnx_mock.python_api.handles",
    "cnx_mock.python_api.resources",
    "cnx_mock.python_api.requests",
    "cnx_mock.python_api.audit",
    "cnx_mock.python_api.resource_records",
)
"""Modules whose public classes people reach through a sandbox."""

_MADE = ("MockServer",)
"""Classes that people make themselves, and whose `__init__` they see."""
_FIELDS = ("RaceResult", "Entry", "Settings", "Scenario")
"""Classes that are only looked at: their methods are for us."""


def api_page() -> str:
    """Every public class and function."""
    words = """Import these names from `cnx_mock`. The classes under [Parts of a sandbox](#parts-of-a-sandbox) are
reached through a `Sandbox`: you never make them yourself. Every method may be called from any thread."""
    names = ["MockServer", "Sandbox", "Rule"]
    parts = [part for name in names for part in _class(getattr(cnx_mock, name), "##", name)]
    parts.append("## Parts of a sandbox")
    for module in _PARTS:
        for kind in _public(module):
            parts += _class(kind, "###")
    parts += [part for name in _FIELDS for part in _class(getattr(cnx_mock, name), "##", name)]
    parts += _function(_tree(cnx_mock.create_app), "##")
    return page("Python API", words, *parts)


def _public(module: str) -> list[type[Any]]:
    found = vars(import_module(module)).values()
    return [
        each
        for each in found
        if isinstance(each, type) and each.__module__ == module and not each.__name__.startswith("_")
    ]


def _class(kind: type[Any], level: str, name: str = "") -> Iterator[str]:
    tree = _tree(kind)
    assert isinstance(tree, ast.ClassDef)
    yield f"{level} {name or kind.__name__}"
    yield words_of(inspect.getdoc(kind) or "")
    members = [
        member for base in reversed(kind.__mro__) if base.__module__.startswith("cnx_mock") for member in _body(base)
    ]
    functions = {each.name: each for each in members if isinstance(each, Function) and not _decorated(each, "setter")}
    made = functions.get("__init__")
    if made is not None and name in _MADE:
        yield fenced("text", f"{name}({_arguments(made)})")
    rows = [*_attributes(members, made), *_properties(functions)]
    if rows:
        yield table(["attribute", "type", "meaning"], rows)
    if kind is cnx_mock.Settings:
        yield "The other fields are the [options](options.md), with `_` in place of `-`."
    looked_at = name in _FIELDS or is_dataclass(kind)
    for each in functions.values() if not looked_at else ():
        if not each.name.startswith("_") and not _decorated(each, "property", "cached_property"):
            yield from _function(each, f"{level}#", f"{name or kind.__name__}.")


def _body(kind: type[Any]) -> list[ast.stmt]:
    tree = _tree(kind)
    return tree.body if isinstance(tree, ast.ClassDef) else []


def _tree(thing: Any) -> Any:
    return ast.parse(inspect.cleandoc("\n" + inspect.getsource(thing))).body[0]


def _documented(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Statements with the string that stands below them."""
    for statement, below in pairwise(body):
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            yield statement, below.value.value


def _attributes(members: list[ast.stmt], made: Function | None) -> Iterator[list[str]]:
    for statement, words in _documented(members):
        name = ast.unparse(statement.target) if isinstance(statement, ast.AnnAssign) else "_"
        if isinstance(statement, ast.AnnAssign) and not name.startswith("_"):
            yield [f"`{name}`", f"`{ast.unparse(_bare(statement.annotation))}`", sentence(words)]
    for statement, words in _documented(made.body if made else []):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        if isinstance(target, ast.Attribute) and not target.attr.startswith("_"):
            yield [f"`{target.attr}`", _kind_of(statement, made), sentence(words)]


def _bare(annotation: ast.expr) -> ast.expr:
    """A type without what `Annotated` says for the document of the API."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
        return annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body  # in quotes, because it is not imported at run time
    return annotation


def _kind_of(statement: ast.stmt, made: Function | None) -> str:
    """The type of an attribute that `__init__` sets: what it is annotated with, or the class that is called, or that of
    the argument."""
    if isinstance(statement, ast.AnnAssign):
        return f"`{ast.unparse(statement.annotation)}`"
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id[0].isupper():
        return f"`{value.func.id}`"
    if isinstance(value, ast.Constant):
        return f"`{type(value.value).__name__}`"
    given = {each.arg: each.annotation for each in made.args.args} if made else {}
    annotation = given.get(value.id) if isinstance(value, ast.Name) else None
    return "" if annotation is None else f"`{ast.unparse(annotation)}`"


def _properties(functions: dict[str, Function]) -> Iterator[list[str]]:
    for each in functions.values():
        if _decorated(each, "property", "cached_property") and not each.name.startswith("_"):
            kind = f"`{ast.unparse(each.returns)}`" if each.returns else ""
            yield [f"`{each.name}`", kind, _plainly(ast.get_docstring(each))]


def _decorated(function: Function, *names: str) -> bool:
    return any(ast.unparse(each).rpartition(".")[2] in names for each in function.decorator_list)


def _function(function: Function, level: str, owner: str = "") -> Iterator[str]:
    yield f"{level} {owner}{function.name}"
    returns = f" -> {ast.unparse(function.returns)}".replace("'", "") if function.returns else ""
    yield fenced("text", f"{owner}{function.name}({_arguments(function)}){returns}")
    yield words_of(ast.get_docstring(function) or "")


def _arguments(function: Function) -> str:
    text = re.sub(r"^self(, )?", "", ast.unparse(function.args))
    parts = [re.sub(r"^(\w+: .*?)=(?!=)", r"\1 = ", part) for part in re.split(r", (?![^\[]*\])", text)]
    if len(text) <= 80:
        return ", ".join(parts)
    return "\n    " + ",\n    ".join(parts) + ",\n"


def words_of(docstring: str) -> str:
    """A docstring as Markdown: paragraphs in one line each, `Args:` and `Raises:` as lists, examples as they are. What
    is Markdown already, lists below `Arguments:` and `Raises:`, stays so."""
    return "\n\n".join(_part(part) for part in re.split(r"\n\s*\n", docstring))


def _part(part: str) -> str:
    head, _, rest = part.partition("\n")
    if part.startswith("    ") or re.search(r"^- ", part, flags=re.MULTILINE):
        return part
    if head == "Example:" and rest:
        return f"Example:\n\n{rest}"
    if head in ("Args:", "Raises:", "Attributes:") and rest:
        title = {"Args:": "Arguments:"}.get(head, head)
        return f"{title}\n\n{_items(rest)}"
    return " ".join(part.split())


def _items(text: str) -> str:
    """The items of a section: `name: words`, with deeper lines that go on."""
    joined = re.sub(r"\n {8,}", " ", text)
    items = (line.strip().partition(": ") for line in joined.splitlines())
    return "\n".join(f"- {', '.join(f'`{name}`' for name in names.split(', '))}: {words}" for names, _, words in items)


def _plainly(docstring: str | None) -> str:
    """A property's docstring as what it is: "Return the number …" is "The number …"."""
    return capital(sentence(re.sub(r"^Return (?=the |a |an |every |what |whether )", "", docstring or "")))


# ---- errors


def errors_page() -> str:
    """The tree of errors, and each error."""
    _, _, rest = (inspect.getdoc(errors) or "").partition("\n\n")
    tree, _, _ = rest.partition("\n\nThe answers")
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Warning | Exception)]
    rows = ([f"`{each.__name__}`", _public_name(each), words_of(inspect.getdoc(each) or "")] for each in kinds)
    return page(
        "Errors",
        "Every error that cnx-mock raises for you to catch is a `CnxMockError`. The CLI prints one line and ends with "
        "status 2 (126 or 127 if a program cannot be started). The control plane answers with its error body.",
        fenced("text", inspect.cleandoc("\n" + tree)),
        table(["error", "import it from", "meaning"], rows),
        "The errors that the API itself answers with are under [Codes of `error`](faults.md#codes-of-error).",
    )


def _public_name(kind: type[Any]) -> str:
    return "`cnx_mock`" if kind.__name__ in cnx_mock.__all__ else "`cnx_mock.errors`"


# ---- pytest


def pytest_page() -> str:
    """Fixtures, markers, options and ini options of the plugin."""
    config = _pytest.config.get_config()
    for module in _PLUGIN:
        config.pluginmanager.import_plugin(module)
    parser = config._parser
    group = parser.getgroup("cnx-mock")
    flags = [
        [f"`{' '.join([*each.names(), *_metavar(each)])}`", _plain(each.attrs()["help"])] for each in group.options
    ]
    inis = [[f"`{name}`", _plain(parser._inidict[name][0])] for name in parser._inidict if name.startswith("cnx_")]
    return page(
        "pytest plugin",
        "The plugin is active as soon as cnx-mock is installed. The guide [pytest](../guides/pytest.md) shows its use.",
        "## Fixtures",
        table(["fixture", "scope", "meaning"], _fixtures()),
        "## Markers",
        table(["marker", "meaning"], _markers()),
        "## Command line",
        table(["option", "meaning"], flags),
        "## Ini options",
        table(["option", "meaning"], inis),
    )


def _metavar(option: Any) -> list[str]:
    found = option.attrs().get("metavar")
    return [found] if found else []


def _plain(words: str) -> str:
    return capital(sentence(words.replace("%%", "%")))


def _fixtures() -> Iterator[list[str]]:
    for module in _PLUGIN:
        for each in ast.parse(inspect.getsource(import_module(module))).body:
            if isinstance(each, Function) and not each.name.startswith("_"):
                marks = [ast.unparse(mark) for mark in each.decorator_list if "pytest.fixture" in ast.unparse(mark)]
                if marks:
                    scope = next((each for each in ("session", "module") if each in marks[0]), "test")
                    yield [f"`{each.name}`", scope, words_of(ast.get_docstring(each) or "")]


def _markers() -> Iterator[list[str]]:
    for each in ast.walk(ast.parse(inspect.getsource(import_module(_PLUGIN[0])))):
        if isinstance(each, ast.Call) and ast.unparse(each.func).endswith("addinivalue_line"):
            name, _, words = str(ast.literal_eval(each.args[1])).partition(": ")
            yield [f"`@pytest.mark.{name}`", _plain(words)]
