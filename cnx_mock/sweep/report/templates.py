"""The templates of HTML reports. Each report is one file: it contains all that it shows, has no script, and loads
nothing. The engine escapes every value."""

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cnx_mock import __version__
from cnx_mock.sweep.journal import MOST_CALLS, length
from cnx_mock.sweep.report.characters import allowed
from cnx_mock.text.plural import counted

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, **values: Any) -> bytes:
    """Return a page as UTF-8, made from a template and its values."""
    return _environment().get_template(template).render(**values).encode()


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # lazy: most runs write no HTML report
    from markupsafe import Markup  # lazy: it comes with jinja2

    environment = Environment(
        loader=PackageLoader("cnx_mock.sweep", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: type(value)(allowed(value)) if isinstance(value, str) else value,
    )
    style = (files("cnx_mock.sweep") / "report" / "page.css").read_text("utf-8")
    environment.globals |= {
        "counted": counted,
        "length": length,
        "most_calls": MOST_CALLS,
        "parts": _parts,
        "style": Markup(style),
        "version": __version__,
    }
    return environment


def _parts(text: str) -> list[str]:
    """Split a sentence at its code: every second part, from the second one on, stood between backticks."""
    return re.split("`([^`]+)`", text)
