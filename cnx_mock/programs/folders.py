"""The folders of one run: an empty one for the program's own state, and a copy of its working folder."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import UsageError

SCRATCH = "CNX_MOCK_SCRATCH"
"""The variable that names the empty folder."""


@dataclass(frozen=True, slots=True)
class ProgramFolders:
    """The folders of one run of a program, or of two runs, if the second continues with the files of the first."""

    scratch: Path
    """An empty folder for state files and locks."""
    working: Path | None
    """Where the program is run; None for the folder in which we are."""

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables that name them."""
        return {SCRATCH: str(self.scratch)}


@contextmanager
def program_folders(copied: Path | None = None) -> Iterator[ProgramFolders]:
    """Make the folders of one run; they are removed at the end, with all that is in them.

    `copied` is the folder that is copied, so that the program runs in the copy; None for none. Raises UsageError if it
    cannot be copied.
    """
    with tempfile.TemporaryDirectory(prefix="cnx-mock-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder, "scratch")
        scratch.mkdir()
        working = None if copied is None else _copy(copied, Path(folder, "work", copied.resolve().name))
        yield ProgramFolders(scratch, working)


def _copy(source: Path, target: Path) -> Path:
    """Copy a folder, links as links. Raises UsageError."""
    try:
        shutil.copytree(source, target, symlinks=True)
    except (OSError, shutil.Error) as error:
        raise UsageError(f"--workdir {source} cannot be copied: {_reason(error)}") from None
    return target


def _reason(error: Exception) -> str:
    """Return why a copy failed; if several files were the reason, for the first of them."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list) and error.args[0]:
        path, _, why = error.args[0][0]
        return f"{path}: {why}"
    return str(error.strerror if isinstance(error, OSError) and error.strerror else error)
