"""One client of a demo: the program, its sandbox, its attempts so far, and its outcome."""

import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, field
from pathlib import Path
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.demo.outcome import LaneOutcome, monthly_cost
from cnx_mock.errors import UsageError
from cnx_mock.http.journal_entry import entry
from cnx_mock.http.tenant import Tenant
from cnx_mock.programs.start import ProgramResult
from cnx_mock.services.worlds import exported
from cnx_mock.world.keys import test_key

_MODULES = "cnx_mock.demo.clients"
OWN = ("naive", "careful")
"""The clients that come with the package: the modules of `demo.clients` that are programs."""


@dataclass(frozen=True, slots=True)
class LaneProgram:
    """A program that is shown in a lane."""

    label: str
    """What people call it."""
    command: Sequence[str]
    """The program and its arguments."""
    is_ours: bool = False
    """Whether it comes with the package. It then takes the unit of its waits, in seconds, from `BASE`."""

    @property
    def noun(self) -> str:
        """What a sentence calls it."""
        return f"the {self.label} client" if self.is_ours else self.label

    @property
    def line(self) -> str:
        """Its command line for a shell."""
        return shlex.join(self.command)


def own_programs() -> Iterator[LaneProgram]:
    """Yield the naive and the careful client."""
    for name in OWN:
        yield LaneProgram(name, (_python(), "-m", f"{_MODULES}.{name}"), is_ours=True)


def _python() -> str:
    """Return how this Python is called in a shell: `python` if that is it."""
    found = shutil.which("python")
    same = found is not None and Path(found).parent == Path(sys.executable).parent
    return "python" if same else sys.executable


def given_programs(lines: Sequence[str]) -> Iterator[LaneProgram]:
    """Yield the programs of these command lines, called by their first words. Raises UsageError for a line that is
    none, or whose program is not found."""
    for number, line in enumerate(lines, 1):
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"--client {line!r}: {str(error).lower()}") from None
        if not words:
            raise UsageError("--client needs a program: --client 'python deploy.py'")
        if shutil.which(words[0]) is None:
            raise UsageError(f"--client {line!r}: {words[0]} is not found, or cannot be executed")
        yield LaneProgram("your client" if len(lines) == 1 else f"your client {number}", words)


@dataclass(kw_only=True)
class Lane:
    """One client of a demo."""

    program: LaneProgram
    tenant: Tenant
    started: int | None = None
    """When the program was started, in real time; None before that."""
    ended: int | None = None
    result: ProgramResult | None = None
    outcome: LaneOutcome | None = None
    """None until the run is judged."""
    can_be_swept: bool = True
    """Whether a sweep takes its program, as far as is known."""
    start: Sequence[Mapping[str, Any]] = field(init=False)
    """The state of its sandbox before the run."""

    def __post_init__(self) -> None:
        self.start = self.states()

    @property
    def label(self) -> str:
        """What people call its client."""
        return self.program.label

    @property
    def sandbox_id(self) -> str:
        """The id of its sandbox."""
        return self.tenant.id

    @property
    def key(self) -> str:
        """The key of its sandbox."""
        return test_key(self.tenant.key)

    def states(self) -> list[dict[str, Any]]:
        """Return the state of its sandbox, in a list as those of a run are."""
        return [exported(self.tenant.sandbox)]

    def entries(self) -> list[dict[str, Any]]:
        """Return its attempts so far, as `GET /_mock/requests` answers them."""
        return [asdict(entry(record)) for record in self.tenant.journal]

    @property
    def monthly_cents(self) -> int:
        """What it has created, and what is still there, costs in a month."""
        return monthly_cost(self.start, self.states())
