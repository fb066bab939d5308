"""A filter for all text on stdout and stderr: live keys are masked, control characters are escaped."""

from cnx_mock.text.control_characters import visible
from cnx_mock.text.live_keys import Masker
from cnx_mock.text.regex import regex

_CODE = "(?:[0-2]|[39][0-7])"
_OWN_COLOUR = regex(rf"(\x1b\[{_CODE}(?:;{_CODE})*m)")
"""The sequences (SGR, ECMA-48 8.3.117) that our own colours need: none of them hides or moves text."""


class OutputFilter:
    """Makes text safe, part by part. On a terminal with colours, `colour`, the sequences of our own colours stay."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._masker = Masker()

    def feed(self, text: str) -> str:
        """Return what can be written so far."""
        return self._visible(self._masker.feed(text))

    def end(self) -> str:
        """Return what waited for more."""
        return self._visible(self._masker.end())

    def _visible(self, text: str) -> str:
        if not self._colour:
            return visible(text)
        parts = _OWN_COLOUR.split(text)
        return "".join(part if number % 2 else visible(part) for number, part in enumerate(parts))
