"""What the tests reach: coverage that costs next to nothing.

Up to Python 3.13, coverage.py is called back for every line that runs, of the tests and libraries too: a run takes
twice as long. Here, `cnx_mock` is compiled with one more statement before each of its own, which notes that it was
reached: a store into a list. The report remains coverage.py's, with its settings and its gate; a test compares what the
two see.

`pytest -p tests.measuring` measures: a plugin named like that is loaded before ours, and so before the package. Each
process leaves its marks in FOUND, also the forked commands of `tests/commands.py`; to start it would take any other
process 0.2 s. `python -m tests.measuring` makes of them what `coverage report` reads.

There are four thousand such processes, most of them forks. So a fork touches as little as possible when it ends: the
system copies each page of memory on which it changes even a count of references.
"""

import ast
import atexit
import hashlib
import marshal
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import pairwise
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
FOUND = ROOT / ".cache" / "measured" / "found"
"""What was reached: the marks of all processes one after the other in `marks`, and what they belong to."""
CODE = FOUND.with_name("code")
"""What is made of the modules: compiled code, and the arcs that a report needs."""
SWITCH = "CNX_MOCK_TESTS_MEASURED"
"""The environment variable that tells the processes of the tests to measure."""

Arc = tuple[int, int]
"""A line, and the line that runs after it."""

_BEGIN, _MIDDLE, _END = b"\xfd", b"\xfe", b"\xff"
"""What stands around the marks of a process, which are 0 or 1, and their name."""

ELSE = 0
"""In an arc: wherever a branch leads that is not taken. coverage.py knows where that is."""

_MARKS = "__reached__"


class Marked(ast.NodeTransformer):
    """Puts a mark before each statement, and at both ends of each branch."""

    def __init__(self) -> None:
        self.arcs: list[list[Arc]] = []
        """For each mark the arcs that were taken when it was reached."""

    def _mark(self, line: int, arcs: list[Arc]) -> ast.stmt:
        target = ast.Subscript(ast.Name(_MARKS, ast.Load()), ast.Constant(len(self.arcs)), ast.Store())
        self.arcs.append(arcs)
        mark = ast.Assign([target], ast.Constant(1))
        for node in ast.walk(mark):
            ast.copy_location(node, ast.Pass(lineno=line, end_lineno=line, col_offset=0, end_col_offset=0))
        return mark

    def block(self, statements: list[ast.stmt], branches: list[Arc]) -> list[ast.stmt]:
        """Mark the statements of a block. With the first one, these branches are taken."""
        marked: list[ast.stmt] = []
        for each in statements:
            branches = [*((-1, line) for line in _lines(each)), *branches]
            if not _is_of_the_future(each):  # nothing may stand before it
                marked.append(self._mark(_line(each), branches))
                branches = []
            marked.append(self.visit(each))
        return marked

    def generic_visit(self, node: ast.AST) -> ast.AST:
        match node:
            case ast.If() | ast.While() | ast.For() | ast.AsyncFor():
                node.body = self.block(node.body, [(node.lineno, _line(node.body[0]))])
                if node.orelse:
                    node.orelse = self.block(node.orelse, [(node.lineno, _line(node.orelse[0]))])
                else:
                    node.orelse = [self._mark(node.lineno, [(node.lineno, ELSE)])]
            case ast.Match():
                self._match(node)
            case ast.Try() | ast.TryStar():
                node.body = self.block(node.body, [])
                for number, handler in enumerate(node.handlers):
                    tried = [(-1, each.lineno) for each in node.handlers[: number + 1]]
                    handler.body = self.block(handler.body, tried)
                node.orelse = self.block(node.orelse, [])
                node.finalbody = self.block(node.finalbody, [])
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                text = 0 if ast.get_docstring(node, clean=False) is None else 1  # it has to stay the first statement
                node.body = [*node.body[:text], *self.block(node.body[text:], [])]
            case ast.With() | ast.AsyncWith():
                node.body = self.block(node.body, [])
        return node

    def _match(self, node: ast.Match) -> None:
        """A case is tried if none before it has matched."""
        lines = [each.pattern.lineno for each in node.cases]
        tried, failed = [(-1, line) for line in lines], [*pairwise(lines)]
        for number, case in enumerate(node.cases):
            taken = (lines[number], _line(case.body[0]))
            case.body = self.block(case.body, [*tried[: number + 1], *failed[:number], taken])
        last = node.cases[-1]
        if last.guard is not None or not isinstance(last.pattern, ast.MatchAs) or last.pattern.pattern is not None:
            none = self._mark(lines[-1], [*tried, *failed, (lines[-1], ELSE)])
            node.cases.append(ast.match_case(pattern=ast.MatchAs(), body=[none]))


def _is_of_the_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _lines(statement: ast.stmt) -> list[int]:
    decorators = getattr(statement, "decorator_list", [])
    return [*(each.lineno for each in decorators), statement.lineno]


def _line(statement: ast.stmt) -> int:
    return _lines(statement)[0]


def marked(source: bytes, path: str) -> tuple[CodeType, list[list[Arc]]]:
    """Compile a module with marks."""
    marks = Marked()
    tree = ast.fix_missing_locations(marks.visit(ast.parse(source)))
    return compile(tree, path, "exec"), marks.arcs


def run(code: CodeType, reached: list[int], names: dict[str, Any]) -> None:
    """Run compiled code, which notes what it reaches."""
    names[_MARKS] = reached
    exec(code, names)


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        code, number = self._compiled()
        for hook in sys.meta_path:
            if type(hook).__name__ == "AssertionRewritingHook":
                # else the runs of pytest inside a test say that pytest has come too late to rewrite this module
                module.__dict__["__loader__"] = hook
        run(code, PROCESS.marks(self.path, number), module.__dict__)

    def _compiled(self) -> tuple[CodeType, int]:
        def compiled() -> tuple[CodeType, int]:
            code, arcs = marked(Path(self.path).read_bytes(), self.path)
            return code, len(arcs)

        found: tuple[CodeType, int] = _kept(self.name, Path(self.path), compiled)
        return found


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name.partition(".")[0] != "cnx_mock":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(name, spec.loader.path)
        return spec


class Process:
    """What a process has reached."""

    def __init__(self) -> None:
        self._marks: list[list[int]] = []
        """The marks of each module."""
        self._unused: list[list[int]] = [[] for _ in range(1000)]
        """The next modules' marks: made at once, they lie side by side in memory."""
        self._places: dict[str, int] = {}
        """For each module the place of its marks."""
        self._modules = (0, b"")
        """How many they were when they got this name."""

    def marks(self, path: str, number: int) -> list[int]:
        """The marks of a module, so many; a module that is loaded again goes on with them."""
        if path not in self._places:
            self._places[path] = len(self._marks)
            self._marks.append(self._unused.pop())
            self._marks[-1].extend([0] * number)
        return self._marks[self._places[path]]

    def prepare(self) -> None:
        """Note which modules are loaded, so that no fork has to."""
        if len(self._marks) != self._modules[0]:
            lines = [f"{len(marks)} {path}" for marks, path in zip(self._marks, self._places, strict=True)]
            text = "\n".join(lines).encode()
            self._modules = len(lines), hashlib.sha256(text).hexdigest().encode()
            _write(FOUND / f"modules-{self._modules[1].decode()}", text)

    def save(self) -> None:
        """Note what was reached. All processes append to one file, each with a single write."""
        if self._marks:
            self.prepare()
            with (FOUND / "marks").open("ab", buffering=0) as file:
                file.write(b"".join((_BEGIN, self._modules[1], _MIDDLE, *map(bytes, self._marks), _END)))


PROCESS = Process()


def start() -> None:
    """Measure this process, and what it forks."""
    sys.meta_path.insert(0, _Finder())
    atexit.register(PROCESS.save)


def _kept(name: str, source: Path, make: Callable[[], Any]) -> Any:
    """What `make` makes of a source; it is kept under this name until the source changes."""
    stat = source.stat()
    kept = CODE / f"{name}-{sys.implementation.cache_tag}-{stat.st_mtime_ns}-{stat.st_size}"
    try:
        return marshal.loads(kept.read_bytes())
    except (OSError, ValueError, EOFError, TypeError):
        made = make()
        _write(kept, marshal.dumps(made))
        return made


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)


def pytest_addoption() -> None:
    """Measure from now on: this is what pytest calls first."""
    os.environ[SWITCH] = "1"
    start()


def pytest_unconfigure() -> None:
    PROCESS.save()  # a worker of xdist need not come to its end


# ---- the report


def taken(arcs: list[list[Arc]], reached: bytes, possible: set[Arc]) -> Iterator[Arc]:
    """Return the arcs that were taken, of those that coverage.py sees in a file."""
    given = [arc for each, mark in zip(arcs, reached, strict=True) if mark for arc in each]
    branches = {arc for each in arcs for arc in each if arc[0] > 0}
    for line, to in given:
        if to != ELSE:
            yield line, to
        else:
            yield from ((line, other) for start, other in possible if start == line and (start, other) not in branches)


def write(files: Iterable[Path], reached: Mapping[str, bytes], target: Path) -> None:
    """Write coverage.py's data: what of these files was reached."""
    import coverage  # lazy: not needed to measure

    data = coverage.CoverageData(str(target))
    data.erase()
    for file in files:
        path = os.path.relpath(file, ROOT).replace(os.sep, "-")
        arcs, possible = _kept(f"arcs-{coverage.__version__}-{path}", file, partial(_arcs, file))
        data.add_arcs({str(file): set(taken(arcs, reached.get(str(file), bytes(len(arcs))), possible))})
    data.write()


def _arcs(file: Path) -> tuple[list[list[Arc]], set[Arc]]:
    """The arcs that each mark of a file stands for, and those that coverage.py sees in it."""
    from coverage.parser import PythonParser  # lazy: not needed to measure

    parser = PythonParser(filename=str(file))
    parser.parse_source()
    return marked(file.read_bytes(), str(file))[1], parser.arcs()


def found() -> dict[str, bytes]:
    """What all processes have reached: for each file its marks."""
    merged: dict[str, bytes] = {}
    for record in (FOUND / "marks").read_bytes().split(_BEGIN):
        name, _, marks = record.partition(_MIDDLE)
        if marks.endswith(_END):  # no process was killed while it wrote this
            modules = name.decode()
            merged[modules] = _either(merged.get(modules, marks[:-1]), marks[:-1])
    of_files: dict[str, bytes] = {}
    for modules, marks in merged.items():
        place = 0
        for line in (FOUND / f"modules-{modules}").read_text().splitlines():
            number, path = line.split(" ", 1)
            own = marks[place : place + int(number)]
            of_files[path] = _either(of_files.get(path, own), own)
            place += int(number)
    return of_files


def _either(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") | int.from_bytes(other, "big")).to_bytes(len(one), "big")


def report() -> None:
    """Write what all processes have reached, and forget it."""
    write(sorted((ROOT / "cnx_mock").rglob("*.py")), found(), ROOT / ".coverage")
    shutil.rmtree(FOUND)


if __name__ == "__main__":
    report()
