"""Characters that a report may contain."""

import re

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def allowed(text: str) -> str:
    """Return the text with U+FFFD for each character that XML 1.0 cannot contain, escaped or not (its section 2.2):
    control characters and lone surrogates. HTML must not contain them either."""
    return _FORBIDDEN.sub("\ufffd", text)
