"""The YAML files that come with cnx-mock: inside the package in a wheel, beside it in a checkout."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from cnx_mock.text.regex import regex

Folder = Literal["fixtures", "scenarios"]

_PACKAGE = Path(__file__).resolve().parents[1]
_NAME = regex(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def locate(folder: Folder) -> Path:
    """Return the folder with that name. Raises FileNotFoundError, with the places that were tried, if there is none."""
    inside, beside = _PACKAGE / folder, _PACKAGE.parent / folder
    if inside.is_dir():
        return inside
    # Without this file the parent is site-packages: a folder with that name there belongs to another package.
    if beside.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return beside
    if _shown_to_a_fake_file_system(folder):
        return locate(folder)
    raise FileNotFoundError(f"the shipped {folder} are neither in {inside} nor in {beside}: install cnx-mock again")


def _shown_to_a_fake_file_system(folder: Folder) -> bool:
    """Add our files to the fake file system of pyfakefs, if a test has one. Return whether some were added: they are
    not there otherwise, also for a server that runs in the process of the test."""
    patcher = getattr(sys.modules.get("pyfakefs.fake_filesystem_unittest"), "Patcher", None)
    fake: Any = getattr(getattr(patcher, "PATCHER", None), "fs", None)
    added = False
    ours = (_PACKAGE, _PACKAGE.parent / folder, _PACKAGE.parent / "pyproject.toml")
    for path in ours if fake is not None else ():
        with suppress(OSError):  # not there, or added before
            fake.add_real_paths([path])
            added = True
    return added


def shipped(folder: Folder, name: str) -> Path | None:
    """Return the path of the file ``<name>.yaml``; None if there is none, or if `name` is not a plain word."""
    if not _NAME.fullmatch(name):
        return None
    path = locate(folder) / f"{name}.yaml"
    return path if path.is_file() else None


def names(folder: Folder) -> list[str]:
    """Return the names of the fixtures or scenarios in the folder, sorted, without ``.yaml``."""
    return sorted(path.stem for path in locate(folder).glob("*.yaml") if shipped(folder, path.stem))


def is_path(name: str) -> bool:
    """Return whether this is a path and not the name of a shipped file: it has a slash, or ends in .yaml, .yml or
    .json."""
    path = Path(name)
    return path.suffix in (".yaml", ".yml", ".json") or len(path.parts) > 1 or name.endswith("/")


def own_file(name: str) -> str:
    """Return a hint at a file of the user whose name was written as that of a shipped one, or ""."""
    for written in (name, f"{name}.yaml", f"{name}.yml"):
        with suppress(OSError, ValueError):  # a name that no file can have
            if name and Path(written).is_file():
                return f"; the file in this folder is written ./{written}"
    return ""
