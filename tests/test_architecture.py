"""The laws of the house, read off the syntax trees: what may import what, and that no module keeps state.

Every law is a function from a folder of source to the lines that break it, so that the tests can also show it a tree
that does break it. (The linter bans reading clocks and being random too, where the code is written: TID251 in
pyproject.toml. The two modules that it lets off are looked at here.)
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.cases import cases

HOUSE = Path(__file__).resolve().parents[1] / "cnx_mock"

# From the floor up: a layer imports what lies below it. Services and scenario share a floor and never meet.
FLOORS = (
    ("dataclass",),
    ("errors",),
    ("text",),
    ("world",),
    ("api",),
    ("settings",),
    ("services", "scenario"),
    ("net",),
    ("http",),
    ("audit", "dashboard"),
    ("asgi",),
    ("programs",),
    ("sweep",),
    ("demo",),
    ("intercept",),
    ("python_api",),
    ("cli", "pytest_plugin"),
)
FLOOR = {layer: height for height, floor in enumerate(FLOORS) for layer in floor}
PROGRAMS = "demo.clients"  # processes of their own, as people write them: they read Python's clock, and are random
DOORS = ("", "__main__")  # cnx_mock/__init__.py and __main__.py may name anything, lazily

MAX_LINES = 350
CONTAINERS = {"dict", "list", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict", "count", "cycle"}
LITERALS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
ALLOWED_AT_START = sys.stdlib_module_names | {"pytest", "_pytest"}
_LIGHT_MODULES = (
    *("plugin", "again", "egress", "options", "reporting"),
    *("sandboxes", "scenarios", "stash", "sweep_marker"),
)
PLUGIN = tuple(f"pytest_plugin.{name}" for name in _LIGHT_MODULES)
LIGHT = tuple(f"cnx_mock.{name}" for name in PLUGIN)  # under the same law
CHANGERS = {
    *("append", "appendleft", "extend", "insert", "pop", "popleft", "popitem", "remove", "discard", "clear"),
    *("add", "update", "setdefault", "sort", "reverse"),
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    name: str  # dotted, inside the package: "world.clock"; "services" for services/__init__.py, "" for the package
    file: str  # for messages
    tree: ast.Module
    lines: int
    is_package: bool

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def at(self, node: ast.AST) -> str:
        return f"{self.file}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    where: str
    target: str  # a module of ours, dotted inside the package; "" is the package itself
    name: str  # what is taken from it, unless that is a module


@cache
def parsed(source: str, file: str) -> ast.Module:
    """The tree of a file, which every law looks at."""
    return ast.parse(source, file)


@cache
def walk(tree: ast.AST) -> list[ast.AST]:
    """Every node of a tree, which several laws look at."""
    return [*ast.walk(tree)]


@cache
def imports_in(tree: ast.AST) -> list[tuple[ast.AST, str, str]]:
    """Every import of a tree: the node, and what `imports_of` returns of it."""
    return [(node, dotted, name) for node in walk(tree) for dotted, name in imports_of(node)]


@cache
def modules(house: Path) -> dict[str, Module]:
    found = {}
    for path in sorted(house.rglob("*.py")):
        *folders, stem = path.relative_to(house).with_suffix("").parts
        name = ".".join(folders if stem == "__init__" else [*folders, stem])
        source = path.read_text(encoding="utf-8")
        file = path.relative_to(house).as_posix()
        found[name] = Module(name, file, parsed(source, file), len(source.splitlines()), stem == "__init__")
    return found


def own_imports(house: Path, module: Module, known: dict[str, Module]) -> Iterator[Import]:
    """Every import of our own code anywhere in the file: in functions, under TYPE_CHECKING, by import_module("…")."""
    for node, dotted, name in imports_in(module.tree):
        target = resolve(house, module, dotted)
        if target is None:
            continue
        submodule = f"{target}.{name}".lstrip(".")
        yield Import(module.at(node), *((submodule, "") if submodule in known else (target, name)))


def imports_of(node: ast.AST) -> Iterator[tuple[str, str]]:
    """(module, name) pairs as written: "a.b", "" for import a.b; "..a", "b" for from ..a import b."""
    match node:
        case ast.Import():
            yield from ((alias.name, "") for alias in node.names)
        case ast.ImportFrom():
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)
        case ast.Call(
            func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(dotted)), *_]
        ):
            if called in ("import_module", "__import__"):
                yield dotted, ""


def resolve(house: Path, module: Module, dotted: str) -> str | None:
    """The dotted name inside our package; None for other people's modules."""
    rest = dotted.lstrip(".")
    if level := len(dotted) - len(rest):
        parts = module.package.split(".") if module.package else []
        return ".".join([*parts[: len(parts) + 1 - level], *([rest] if rest else [])])
    head, _, inside = dotted.partition(".")
    return inside if head == house.name else None


def at_import(body: list[ast.stmt], *, classes: bool) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported; what stands under `if TYPE_CHECKING` does not run."""
    for statement in body:
        if isinstance(statement, Function) or (isinstance(statement, ast.ClassDef) and not classes):
            continue
        yield statement
        if not (isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test)):
            yield from at_import(getattr(statement, "body", []), classes=classes)
        yield from at_import(getattr(statement, "orelse", []), classes=classes)
        yield from at_import(getattr(statement, "finalbody", []), classes=classes)
        for handler in getattr(statement, "handlers", []):
            yield from at_import(handler.body, classes=classes)


# ---- the laws


def law_of_imports(house: Path) -> list[str]:
    """Each room imports only what stands below it in FLOORS, and no slice looks into another."""
    known = modules(house)
    breaches = []
    for module in known.values():
        if module.name in DOORS:
            continue
        if module.layer not in FLOOR:
            breaches.append(f"{module.file}: {module.layer} is not a room of the house")
            continue
        for imported in own_imports(house, module, known):
            reason = against_the_floors(module, imported) or into_another_slice(module, imported, known)
            if reason:
                breaches.append(f"{imported.where}: imports {imported.target or house.name}: {reason}")
    return breaches


def against_the_floors(module: Module, imported: Import) -> str:
    mine, its = module.layer, imported.target.partition(".")[0]
    if its == "":
        return "" if imported.name == "__version__" else "only __version__ may be taken from the package itself"
    if its not in FLOOR:
        return f"{its} is not a room of the house"
    if FLOOR[its] > FLOOR[mine]:
        return f"{its} lies above {mine}"
    if FLOOR[its] == FLOOR[mine] and its != mine:
        return f"{mine} and {its} never import each other"
    return ""


def into_another_slice(module: Module, imported: Import, known: dict[str, Module]) -> str:
    """A slice is a folder or a file under services/; from a folder's __init__ its public names may be taken."""
    mine, its = (f"{dotted}.".split(".")[:2] for dotted in (module.name, imported.target))
    if mine[0] != "services" or its[0] != "services" or not mine[1] or not its[1] or mine == its:
        return ""
    face = known.get(imported.target)
    public = imported.target.count(".") == 1 and imported.name and not imported.name.startswith("_")
    return "" if face and face.is_package and public else f"that is inside another slice ({its[1]})"


def law_of_circles(house: Path) -> list[str]:
    """No module imports itself by way of others, be it in a function or for its types alone."""
    known = modules(house)
    graph = {
        module.name: {each.target for each in own_imports(house, module, known)} - {"", module.name}
        for module in known.values()
        if module.name not in DOORS
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return [f"a circle: {' → '.join(reversed(error.args[1]))}"]
    return []


def law_of_state(house: Path) -> list[str]:
    """Two servers live in one process, so no module keeps anything: no variables, no `global`, no filled constants."""
    breaches = []
    for module in modules(house).values():
        held = {
            name: statement
            for statement in at_import(module.tree.body, classes=False)
            for name in containers_assigned(statement)
        }
        for name, statement in held.items():
            if name != name.upper() and not name.startswith("__"):
                breaches.append(f"{module.at(statement)}: {name} is module-level state")
        for function in (node for node in walk(module.tree) if isinstance(node, Function)):
            for node in walk(function):
                if isinstance(node, ast.Global):
                    breaches.append(f"{module.at(node)}: global {', '.join(node.names)}")
                if (changed := name_changed(node)) in held:
                    breaches.append(f"{module.at(node)}: {function.name}() changes {changed}")
    return breaches


def containers_assigned(statement: ast.stmt) -> Iterator[str]:
    """The names that the statement binds to a dict, a list, a set or a counter."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    match getattr(statement, "value", None):
        case ast.Call(func=ast.Name(id=made) | ast.Attribute(attr=made)) if made in CONTAINERS:
            pass
        case value if not isinstance(value, LITERALS):
            return
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def name_changed(node: ast.AST) -> str | None:
    """The name whose content the node changes: x[…] = …, del x[…], x.append(…)."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if attribute in CHANGERS:
            return name
    return None


def law_of_plug_ins(house: Path) -> list[str]:
    """The engine names no fault: neither the module, nor the class of that name, nor faults.<module>."""
    known = modules(house)
    engine = known.get("scenario.engine")
    faults = {name.rpartition(".")[2] for name in known if name.startswith("scenario.faults.")}
    breaches = []
    for node in ast.walk(engine.tree) if engine else ():
        named = [part for dotted, name in imports_of(node) for part in (*dotted.split("."), name)]
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("faults"):
            named.append(node.attr)
        for name in named:
            if engine and name.replace("_", "").lower() in {fault.replace("_", "") for fault in faults}:
                breaches.append(f"{engine.at(node)}: the engine names the fault {name}")
    return breaches


def law_of_light_plugin(house: Path) -> list[str]:
    """pytest loads our plugin in every run of every user: it imports pytest and the standard library."""
    known = modules(house)
    breaches = []
    for name in ("", "pytest_plugin", *PLUGIN):
        if name not in known:
            continue
        for statement in at_import(known[name].tree.body, classes=True):
            for dotted, _ in imports_of(statement):
                if dotted.partition(".")[0] not in ALLOWED_AT_START and dotted not in LIGHT:
                    breaches.append(f"{known[name].at(statement)}: imports {dotted} when pytest starts")
    return breaches


def law_of_time_and_chance(house: Path) -> list[str]:
    """The clock is not random and chance reads no clock: the linter frees these two files from both bans at once."""
    known = modules(house)
    foreign = {"world.clock": {"random", "secrets", "uuid"}, "world.chance": {"time", "datetime"}}
    return [
        f"{known[name].at(node)}: imports {dotted}"
        for name in foreign.keys() & known.keys()
        for node, dotted, _ in imports_in(known[name].tree)
        if dotted.partition(".")[0] in foreign[name]
    ]


def law_of_clocks(house: Path) -> list[str]:
    """Only world.clock reads a clock: a test may have frozen Python's own, and what asks those would freeze too."""
    return [
        f"{module.at(node)}: {reading} reads Python's clock: ask world.clock"
        for name, module in modules(house).items()
        if name != "world.clock" and not name.startswith(f"{PROGRAMS}.")
        for node in walk(module.tree)
        for reading in clock_readings(node)
    ]


def clock_readings(node: ast.AST) -> Iterator[str]:
    """What reads the clock there, as written: the module `time`, datetime.now(), formatdate() without a time, …"""
    yield from (f"the module {dotted}" for dotted, _ in imports_of(node) if dotted in ("time", "ctypes"))
    if not isinstance(node, ast.Call):
        return
    last = getattr(node.func, "attr", getattr(node.func, "id", None))
    limited = any(keyword.arg == "timeout" for keyword in node.keywords)
    if last not in ("now", "utcnow", "today", "formatdate", "localtime", "time") and not limited:
        return
    owner, _, called = ast.unparse(node.func).rpartition(".")
    of_a_date = owner.rpartition(".")[2] in ("date", "datetime") and called in ("now", "utcnow", "today")
    of_now = called in ("formatdate", "localtime") and not node.args and not node.keywords
    of_a_loop = bool(owner) and called == "time" and not node.args
    if of_a_date or of_now or of_a_loop:
        yield f"{owner}.{called}()".lstrip(".")
    if owner == "subprocess" and limited:
        yield f"the timeout of subprocess.{called}()"


def law_of_programs(house: Path) -> list[str]:
    """The programs of the demo need the standard library alone, and are run: nothing imports them."""
    known = modules(house)
    breaches = []
    for module in known.values():
        own = module.name.startswith(PROGRAMS)
        for imported in own_imports(house, module, known):
            if own != imported.target.startswith(PROGRAMS):
                breaches.append(f"{imported.where}: imports {imported.target}: programs stand alone")
        for node, dotted, _ in imports_in(module.tree) if own else ():
            if dotted.partition(".")[0] not in {*sys.stdlib_module_names, house.name}:
                breaches.append(f"{module.at(node)}: imports {dotted}: programs need the standard library alone")
    return breaches


def law_of_names(house: Path) -> list[str]:
    """One class name means one thing; in one file it may have a form for each platform."""
    homes: dict[str, str] = {}
    breaches = []
    for module in modules(house).values():
        for node in walk(module.tree):
            if isinstance(node, ast.ClassDef) and homes.setdefault(node.name, module.file) != module.file:
                breaches.append(f"{module.at(node)}: {homes[node.name]} has a class {node.name} too")
    return breaches


def law_of_lazy_imports(house: Path) -> list[str]:
    """An import inside a function says what it saves: `# lazy: …`."""
    return [
        f"{module.at(node)}: an import inside {function.name}() without a reason: # lazy: …"
        for module in modules(house).values()
        for lines in [(house / module.file).read_text(encoding="utf-8").splitlines()]
        for function in walk(module.tree)
        if isinstance(function, Function)
        for node in walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and "# lazy: " not in lines[node.lineno - 1]
    ]


def law_of_size(house: Path) -> list[str]:
    return [
        f"{module.file}: {module.lines} lines, {MAX_LINES} at most"
        for module in modules(house).values()
        if module.lines > MAX_LINES
    ]


LAWS = [
    law_of_imports,
    law_of_circles,
    law_of_state,
    law_of_plug_ins,
    law_of_light_plugin,
    law_of_time_and_chance,
    law_of_clocks,
    law_of_programs,
    law_of_names,
    law_of_lazy_imports,
    law_of_size,
]


@cases("law", LAWS)
@pytest.mark.slow
def test_our_house_keeps_the_law(law):
    assert modules(HOUSE), f"no source in {HOUSE}"
    assert law(HOUSE) == []


# ---- … and a law that is broken is seen to be broken


def build(tmp_path: Path, files: dict[str, str]) -> Path:
    house = tmp_path / "cnx_mock"
    for name, source in files.items():
        path = house / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in [folder for folder in path.parents if folder.is_relative_to(house)]:
            (folder / "__init__.py").touch()
        path.write_text(source, encoding="utf-8")
    modules.cache_clear()  # a test may build a second house in the same place
    return house


ONE_OF_EACH = {
    "errors.py": "",
    "text/units.py": "",
    "settings.py": "",
    "world/clock.py": "",
    "api/errors.py": "",
    "services/compute/instances.py": "",
    "services/compute/plans.py": "",
    "services/billing/reports.py": "",
    "services/account.py": "",
    "scenario/engine.py": "",
    "http/app.py": "",
    "audit/audit.py": "",
    "cli/main.py": "",
}


@cases(
    ("where", "source"),
    [
        ("world/clock.py", "from cnx_mock.text.units import seconds"),
        ("http/app.py", "from cnx_mock import settings"),
        ("world/clock.py", "from ..text import units"),
        ("settings.py", "from cnx_mock.text import units\nfrom cnx_mock.api import errors"),
        ("services/compute/instances.py", "from . import plans"),
        ("services/compute/instances.py", "from cnx_mock.services.billing import public_name"),
        ("services/__init__.py", "from .billing import reports\nfrom . import account"),
        ("http/app.py", "from cnx_mock import __version__\nfrom cnx_mock.services.compute import instances"),
        ("cli/main.py", "def serve():\n    import cnx_mock.http.app"),
        ("__init__.py", "def __getattr__(name):\n    from cnx_mock.cli import main"),
        ("__main__.py", "from cnx_mock.cli.main import main"),
        ("api/errors.py", "import json, starlette.routing\nfrom collections import abc"),
    ],
)
def test_lawful_imports_pass(tmp_path, where, source):
    assert law_of_imports(build(tmp_path, ONE_OF_EACH | {where: source})) == []


@cases(
    ("where", "source", "breach"),
    [
        (
            "text/units.py",
            "import cnx_mock.world.clock",
            "text/units.py:1: imports world.clock: world lies above text",
        ),
        ("errors.py", "from cnx_mock.text import units", "text lies above errors"),
        ("settings.py", "from .services import account", "services lies above settings"),
        ("world/clock.py", "from cnx_mock import settings", "settings lies above world"),
        ("world/clock.py", "from cnx_mock.api.errors import NotFound", "imports api.errors: api lies above world"),
        (
            "world/clock.py",
            "def late():\n    from ..http import app",
            "world/clock.py:2: imports http.app: http lies above",
        ),
        (
            "api/errors.py",
            "if TYPE_CHECKING:\n    from ..services import account",
            "errors.py:2: imports services.account",
        ),
        ("api/errors.py", "importlib.import_module('cnx_mock.http.app')", "imports http.app: http lies above api"),
        ("api/errors.py", "import_module('..cli.main', __package__)", "imports cli.main: cli lies above api"),
        ("http/app.py", "from cnx_mock.cli import main", "cli lies above http"),
        ("http/app.py", "from cnx_mock import MockServer", "only __version__ may be taken"),
        ("http/app.py", "import cnx_mock", "only __version__ may be taken"),
        ("audit/audit.py", "from cnx_mock import cli", "cli lies above audit"),
        ("services/account.py", "from ..scenario import engine", "services and scenario never import each other"),
        (
            "scenario/engine.py",
            "from cnx_mock.services.compute import plans",
            "scenario and services never import each",
        ),
        ("services/compute/instances.py", "from ..billing import reports", "inside another slice (billing)"),
        ("services/compute/instances.py", "from ..billing.reports import total", "inside another slice (billing)"),
        ("services/compute/instances.py", "from ..billing import _secret", "inside another slice (billing)"),
        ("services/compute/instances.py", "from ..account import show", "inside another slice (account)"),
        ("services/account.py", "from .compute import plans", "inside another slice (compute)"),
        ("helpers.py", "", "helpers.py: helpers is not a room of the house"),
        ("http/app.py", "from cnx_mock import helpers_that_are_gone", "only __version__ may be taken"),
    ],
)
def test_unlawful_imports_are_found(tmp_path, where, source, breach):
    found = law_of_imports(build(tmp_path, ONE_OF_EACH | {where: source}))
    assert len(found) == 1
    assert breach in found[0]


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("from cnx_mock.world import clock", "from cnx_mock.world import table"),
        ("from cnx_mock.world import clock", "def now():\n    from . import table"),
        ("if TYPE_CHECKING:\n    from .clock import Clock", "import cnx_mock.world.table"),
    ],
)
def test_a_circle_is_found(tmp_path, there, back):
    assert law_of_circles(build(tmp_path, {"world/table.py": there, "world/clock.py": ""})) == []
    [found] = law_of_circles(build(tmp_path, {"world/table.py": there, "world/clock.py": back}))
    assert "world.table" in found
    assert "world.clock" in found


@pytest.mark.parametrize(
    "source",
    [
        "LIMITS = {'starter': 60}\n__all__ = ['LIMITS']\nnames = ('a', 'b')",
        "def handler():\n    seen = []\n    seen.append(1)\n    return {}",
        "class Table:\n    rows: list = []",
        "LIMITS = dict(a=1)\ndef limit():\n    return LIMITS['a']",
    ],
)
def test_stateless_modules_pass(tmp_path, source):
    assert law_of_state(build(tmp_path, {"world/table.py": source})) == []


@cases(
    ("source", "breach"),
    [
        ("sandboxes = {}", "world/table.py:1: sandboxes is module-level state"),
        ("sandboxes: dict[str, int] = {}", "sandboxes is module-level state"),
        ("try:\n    import x\nexcept ImportError:\n    seen = [1]", "table.py:4: seen is module-level state"),
        ("seen = collections.defaultdict(list)", "seen is module-level state"),
        ("ids = itertools.count(1)", "ids is module-level state"),
        ("unique = {name for name in 'abc'}", "unique is module-level state"),
        ("N = 0\ndef bump():\n    global N\n    N += 1", "table.py:3: global N"),
        ("CACHE = {}\ndef put(k, v):\n    CACHE[k] = v", "table.py:3: put() changes CACHE"),
        ("CACHE = {}\ndef drop(k):\n    del CACHE[k]", "drop() changes CACHE"),
        ("ALL = []\nclass A:\n    def add(self):\n        ALL.append(self)", "add() changes ALL"),
    ],
)
def test_module_level_state_is_found(tmp_path, source, breach):
    found = law_of_state(build(tmp_path, {"world/table.py": source}))
    assert len(found) == 1
    assert breach in found[0]


@cases(
    ("source", "breaches"),
    [
        ("import pkgutil\nfrom . import faults\nfrom .faults import load_all", 0),
        ("from .faults import latency", 1),
        ("from .faults.latency import Latency", 2),
        ("from .faults import BadStatus", 1),
        ("def ask(self):\n    return isinstance(self, faults.latency.Latency)", 1),
        ("import_module('cnx_mock.scenario.faults.bad_status')", 1),
    ],
)
def test_an_engine_that_names_a_fault_is_found(tmp_path, source, breaches):
    faults = {"scenario/faults/latency.py": "", "scenario/faults/bad_status.py": ""}
    house = build(tmp_path, faults | {"scenario/engine.py": source})
    assert len(law_of_plug_ins(house)) == breaches


@cases(
    ("source", "breaches"),
    [
        ("from __future__ import annotations\nimport pytest, os.path\nfrom collections.abc import Iterator", 0),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cnx_mock import MockServer", 0),
        ("def pytest_configure():\n    import pydantic", 0),
        ("import pydantic", 1),
        ("from cnx_mock.python_api.server import MockServer", 1),
        ("from .server import MockServer", 1),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import yaml", 1),
        ("try:\n    pass\nexcept ImportError:\n    import yaml", 1),
        ("class Plugin:\n    import yaml", 1),
    ],
)
@cases("where", ["__init__.py", "pytest_plugin/plugin.py"])
def test_a_heavy_plugin_is_found(tmp_path, where, source, breaches):
    assert len(law_of_light_plugin(build(tmp_path, {where: source}))) == breaches


@pytest.mark.parametrize(
    ("where", "source", "breaches"),
    [
        ("world/clock.py", "import time\nfrom datetime import datetime", 0),
        ("world/chance.py", "import random", 0),
        ("world/clock.py", "def jitter():\n    from random import random", 1),
        ("world/chance.py", "from time import monotonic", 1),
    ],
)
def test_a_random_clock_is_found(tmp_path, where, source, breaches):
    assert len(law_of_time_and_chance(build(tmp_path, {where: source}))) == breaches


@cases(
    ("source", "breach"),
    [
        ("import time", "the module time"),
        ("from time import monotonic", "the module time"),
        ("def late():\n    import ctypes", "the module ctypes"),
        ("datetime.now(UTC)", "datetime.now()"),
        ("dt.datetime.utcnow()", "dt.datetime.utcnow()"),
        ("dt.date.today()", "dt.date.today()"),
        ("formatdate()", "formatdate()"),
        ("email.utils.localtime()", "email.utils.localtime()"),
        ("asyncio.get_running_loop().time()", "asyncio.get_running_loop().time()"),
        ("subprocess.run(command, timeout=5)", "the timeout of subprocess.run()"),
    ],
)
def test_a_second_reader_of_clocks_is_found(tmp_path, source, breach):
    house = build(tmp_path, {"world/table.py": source, "world/clock.py": source})
    [found] = law_of_clocks(house)
    assert found.startswith("world/table.py:")
    assert f": {breach} reads Python's clock" in found


@pytest.mark.parametrize(
    "source",
    ["clock.now()", "from datetime import time", "midnight = datetime.combine(day, time())", "formatdate(second)"],
)
def test_what_reads_no_clock_passes(tmp_path, source):
    assert law_of_clocks(build(tmp_path, {"world/table.py": source})) == []


def test_a_long_module_is_found(tmp_path):
    house = build(tmp_path, {"world/table.py": "x = 1\n" * 351, "world/clock.py": "x = 1\n" * 350})
    assert law_of_size(house) == ["world/table.py: 351 lines, 350 at most"]


def test_a_class_name_that_means_two_things_is_found(tmp_path):
    files = {"world/table.py": "class Row: ...", "world/clock.py": "class Clock:\n    class Row: ..."}
    assert law_of_names(build(tmp_path, files)) == ["world/table.py:1: world/clock.py has a class Row too"]


def test_a_lazy_import_without_a_reason_is_found(tmp_path):
    source = "def a():\n    import yaml  # lazy: slow\ndef b():\n    from faker import Faker\n"
    [found] = law_of_lazy_imports(build(tmp_path, {"world/table.py": source}))
    assert found.startswith("world/table.py:4: an import inside b()")
