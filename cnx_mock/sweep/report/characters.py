"""Characters that a report may contain."""

import re

from cnx_mock.text.control_characters import visible
from cnx_mock.text.live_keys import masked_text

_LINE_END = re.compile("\r\n?")
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def allowed(text: str) -> str:
    """Return the text with escapes for control characters, and U+FFFD for each other one that XML 1.0 cannot contain
    (its section 2.2). HTML must not contain them either. Live keys are masked."""
    return _FORBIDDEN.sub("\ufffd", visible(_LINE_END.sub("\n", masked_text(text))))
