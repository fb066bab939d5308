"""A regular expression that is compiled when it is first used."""

import re

from cnx_mock.text.regex import regex


def test_it_is_what_re_compiles() -> None:
    later, now = regex("(a)b?", re.IGNORECASE), re.compile("(a)b?", re.IGNORECASE)
    assert vars(later).keys() == {"_given"}
    assert later.sub("x", "ABa") == now.sub("x", "ABa") == "xx"
    match = later.fullmatch("AB")
    assert match is not None and match[1] == "A"
    assert (later.pattern, later.flags, later.groups) == (now.pattern, now.flags, now.groups)
    assert vars(later)["fullmatch"] == now.fullmatch
