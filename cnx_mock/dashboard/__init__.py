"""The live page at `/_mock/`: its files. The control plane serves them, and they use nothing but the control plane."""

from collections.abc import Mapping
from pathlib import Path

from cnx_mock.http.control.guard import PAGE, UI
from cnx_mock.http.static_files import StaticFile

STATIC = Path(__file__).parent / "static"
"""The folder of the files."""


def files() -> Mapping[str, StaticFile]:
    """Return every file of the page by its path on the server. Only what the folder holds can be asked for."""
    found = {UI + path.relative_to(STATIC).as_posix(): StaticFile(path) for path in _paths()}
    return {PAGE: found[f"{UI}index.html"], **found}


def _paths() -> list[Path]:
    return sorted(path for path in STATIC.rglob("*") if path.is_file() and not path.name.startswith("."))
