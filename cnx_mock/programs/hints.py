"""What to write instead of a program that cannot be started: the mistakes that everybody makes once."""

import os
import re
from pathlib import Path

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_LINE = 200
"""So many bytes of a script's first line are shown."""


def hint(name: str, error: OSError) -> str:
    """Return the end of a message about a program that cannot be started: "; …", or "" if there is nothing to say."""
    try:
        found = Path(name).is_file()
    except (OSError, ValueError):  # a name that is too long, or no name of a file at all
        found = False
    if isinstance(error, PermissionError) and found:
        return "; `chmod +x` makes it executable, or write its interpreter before it"
    if not isinstance(error, FileNotFoundError | NotADirectoryError) or not name:
        return ""
    if found and os.sep in name:
        return _interpreter(name)
    if found:
        return f"; a file in this folder is written ./{name}"
    if _VARIABLE.match(name):
        return "; write env before it to set a variable"
    if len(name.split()) > 1:
        return "; it is one word: write the program without quotes, or give a shell's line to sh -c"
    return ""


def _interpreter(script: str) -> str:
    """Return the interpreter that a script's first line names."""
    try:
        with Path(script).open("rb") as file:
            line = file.readline(_LINE)
    except OSError:
        return ""
    if not line.startswith(b"#!"):  # a program whose loader is missing, such as one for another libc
        return ""
    text = line[2:].rstrip(b"\n").decode(errors="replace").strip(" \t")
    ends = ": the file has Windows line ends" if text.endswith("\r") else ""
    return f" ({text.rstrip()}{ends})"
