"""Where the shipped YAML files are: inside the package in a wheel, at the root of a checkout or editable install."""

import re
from pathlib import Path
from typing import Literal

Folder = Literal["fixtures", "scenarios"]

_PACKAGE = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def locate(folder: Folder) -> Path:
    """Return the shipped folder of that name; `FileNotFoundError` says where it was looked for."""
    inside, beside = _PACKAGE / folder, _PACKAGE.parent / folder
    if inside.is_dir():
        return inside
    # Without this file the parent is site-packages, where a folder of that name belongs to somebody else.
    if beside.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return beside
    raise FileNotFoundError(f"the shipped {folder} are neither in {inside} nor in {beside}: install cnx-mock again")


def shipped(folder: Folder, name: str) -> Path | None:
    """Return the path of the shipped file ``<name>.yaml``, or None when there is none or `name` is no plain word."""
    if not _NAME.fullmatch(name):
        return None
    path = locate(folder) / f"{name}.yaml"
    return path if path.is_file() else None


def names(folder: Folder) -> list[str]:
    """Return the names that `shipped` finds, sorted."""
    return sorted(path.stem for path in locate(folder).glob("*.yaml") if shipped(folder, path.stem))
